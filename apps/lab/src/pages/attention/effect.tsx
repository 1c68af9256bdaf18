import type { ReactElement } from 'react';
import { figure, percent, visible } from '../../ui/numbers.js';
import type { Inspection } from '../../worker/inspection.js';

/** How well a model reads the text, and what it expects next; beside what it would without some heads. */
export function Effect({
  whole,
  ablated,
}: {
  whole: Inspection;
  /** Without the heads that were taken out; undefined where none was. */
  ablated: Inspection | undefined;
}): ReactElement {
  const change = ablated && ablated.loss - whole.loss;
  const without = new Map(ablated?.next.map(({ id, probability }) => [id, probability]));
  const most = Math.max(...whole.next.map(({ probability }) => probability), ...without.values());
  const width = (probability: number) => (100 * probability) / most;
  return (
    <div className="stack">
      <dl className="figures">
        <div>
          <dt>Loss on this text</dt>
          <dd>{figure(whole.loss)}</dd>
        </div>
        {ablated && (
          <div>
            <dt>Loss with heads ablated</dt>
            <dd>
              {figure(ablated.loss)}{' '}
              <span className={`small ${change! > 0 ? 'worse' : 'better'}`}>
                {change! > 0 ? '+' : '−'}
                {figure(Math.abs(change!))}
              </span>
            </dd>
          </div>
        )}
      </dl>
      <div className="stack tight">
        <h2 className="minor">Next-token probabilities</h2>
        <ul className="bars">
          {whole.next.slice(0, 8).map(({ id, text, probability }) => {
            const less = without.get(id);
            return (
              <li key={id}>
                <span className="bar-name mono">{visible(text)}</span>
                <svg
                  className="bar-lines"
                  aria-hidden="true"
                  preserveAspectRatio="none"
                  viewBox="0 0 100 20"
                >
                  <rect
                    className={ablated ? 'bar-before' : 'bar-after'}
                    x="0"
                    y={ablated ? 2 : 5}
                    width={width(probability)}
                    height={ablated ? 7 : 10}
                  />
                  {ablated && (
                    <rect className="bar-after" x="0" y="11" width={width(less ?? 0)} height="7" />
                  )}
                </svg>
                <span className="num small right">
                  <span className={ablated ? 'muted' : ''}>{percent(probability)}</span>
                  {ablated && (
                    <>
                      <br />
                      {less === undefined ? 'not in the top' : percent(less)}
                    </>
                  )}
                </span>
              </li>
            );
          })}
        </ul>
        {ablated && <p className="small muted">Light: all heads. Dark: with heads ablated.</p>}
      </div>
    </div>
  );
}
