import type { ReactElement } from 'react';
import type { Bar } from '../../models/sampling.js';
import { percent, visible } from '../../ui/numbers.js';

/** Probabilities of the next token, before and after temperature, top-k and top-p. */
export function BarChart({
  bars,
  action,
  onChoose,
}: {
  bars: readonly Bar[];
  /** What choosing a token does, for who cannot see it. */
  action?: string;
  onChoose?: (bar: Bar) => void;
}): ReactElement {
  const most = Math.max(...bars.flatMap(({ before, after }) => [before, after]), 1e-9);
  return (
    <ul className="bars">
      {bars.map((bar) => {
        const words = `${visible(bar.text)}: ${percent(bar.before)} from the model, ${percent(bar.after)} when sampled`;
        return (
          <li key={bar.id} className={bar.after === 0 ? 'cut' : ''}>
            {onChoose ? (
              <button
                type="button"
                className="bar-name mono"
                aria-label={`${action ?? 'Take'} ${words}`}
                onClick={() => onChoose(bar)}
              >
                {visible(bar.text)}
              </button>
            ) : (
              <span className="bar-name mono">{visible(bar.text)}</span>
            )}
            <svg
              className="bar-lines"
              aria-hidden="true"
              preserveAspectRatio="none"
              viewBox="0 0 100 20"
            >
              <rect
                className="bar-before"
                x="0"
                y="2"
                width={(100 * bar.before) / most}
                height="7"
              />
              <rect
                className="bar-after"
                x="0"
                y="11"
                width={(100 * bar.after) / most}
                height="7"
              />
            </svg>
            <span className="num small right">
              <span className="muted">{percent(bar.before)}</span>
              <br />
              {bar.after === 0 ? 'cut off' : percent(bar.after)}
            </span>
          </li>
        );
      })}
    </ul>
  );
}
