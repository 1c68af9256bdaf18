import { type ReactElement, useState } from 'react';
import { Heat } from '../../charts/heat.js';
import { Button } from '../../ui/button.js';
import { SelectField } from '../../ui/fields.js';
import { figure, percent, visible } from '../../ui/numbers.js';
import type { Head, Inspection } from '../../worker/inspection.js';
import { mapOf, nameOf } from './heads.js';

const rowHeight = 24;
/** Weights below this are not drawn as lines. */
const least = 0.04;

/** Which tokens of a head look at which: lines between them, and the whole map beside. */
export function HeadView({
  inspection,
  head,
  title,
  out = false,
  onAblate,
  onChoose,
}: {
  inspection: Inspection;
  head: Head;
  title: string;
  /** Whether the head is taken out. */
  out?: boolean;
  onAblate?: (() => void) | undefined;
  onChoose: (head: Head) => void;
}): ReactElement {
  const [token, setToken] = useState<number>();
  const { tokens } = inspection;
  const map = mapOf(inspection, head);
  const count = tokens.length;
  const shown = token !== undefined && token < count ? token : undefined;
  const row = shown === undefined ? undefined : map.subarray(shown * count, (shown + 1) * count);
  return (
    <article className="stack tight">
      <div className="row apart">
        <h2 className="minor">{title}</h2>
        <span className="row bottom">
          <SelectField
            label="Head"
            value={`${head.layer}/${head.head}`}
            options={inspection.scores.map((one) => ({
              value: `${one.layer}/${one.head}`,
              label: nameOf(inspection, one),
            }))}
            onChange={(value) => {
              const at = value.lastIndexOf('/');
              onChoose({ layer: value.slice(0, at), head: Number(value.slice(at + 1)) });
            }}
          />
          {onAblate && <Button onClick={onAblate}>{out ? 'Restore' : 'Ablate'}</Button>}
        </span>
      </div>
      <Scores inspection={inspection} head={head} />
      <p className="small muted head-words" aria-live="polite">
        {row
          ? sentence(inspection, shown!, row)
          : 'Point at a query token on the left to see the keys that it attends to.'}
      </p>
      <div className="head-view">
        <ol className="token-column">
          {tokens.map(({ id, text }, i) => (
            <li key={`${i}/${id}`}>
              <button
                type="button"
                className="head-token mono"
                aria-pressed={shown === i}
                onPointerEnter={() => setToken(i)}
                onFocus={() => setToken(i)}
                onClick={() => setToken(i)}
              >
                {visible(text)}
              </button>
            </li>
          ))}
        </ol>
        <Lines map={map} count={count} token={shown} />
        <ol className="token-column to">
          {tokens.map(({ id, text }, i) => (
            <li
              key={`${i}/${id}`}
              className="mono"
              data-weight={row ? weightClass(row[i]!) : undefined}
            >
              <span>{visible(text)}</span>
            </li>
          ))}
        </ol>
        <div className="head-map">
          <Heat
            values={map}
            columns={count}
            label={`Attention of ${nameOf(inspection, head)}: queries in rows, keys in columns`}
            onCell={(from) => setToken(from)}
          />
          <p className="small muted">Rows are queries, columns are keys.</p>
        </div>
      </div>
    </article>
  );
}

/** The scores of a head. */
function Scores({ inspection, head }: { inspection: Inspection; head: Head }): ReactElement | null {
  const scores = inspection.scores.find(
    ({ layer, head: number }) => layer === head.layer && number === head.head,
  );
  if (!scores) return null;
  return (
    <dl className="figures">
      <div>
        <dt title="Mean weight on the token before the query">Previous-token score</dt>
        <dd>{percent(scores.previousToken)}</dd>
      </div>
      <div>
        <dt title="Mean weight on the token that followed an earlier occurrence of the query token">
          Induction score
        </dt>
        <dd>{percent(scores.induction)}</dd>
      </div>
      <div>
        <dt title="Mean entropy of the attention weights">Entropy (nats)</dt>
        <dd>{figure(scores.entropy)}</dd>
      </div>
      <div>
        <dt title="Mean distance from query to key, weighted by attention">Distance (tokens)</dt>
        <dd>{figure(scores.distance)}</dd>
      </div>
    </dl>
  );
}

/** A weight in five steps, to colour by. */
function weightClass(weight: number): number {
  return [0.03, 0.1, 0.25, 0.5].filter((limit) => weight >= limit).length;
}

function sentence({ tokens }: Inspection, from: number, row: Float32Array): string {
  const best = [...row.keys()].sort((a, b) => row[b]! - row[a]!).slice(0, 3);
  const places = best
    .filter((to) => row[to]! >= 0.01)
    .map((to) => `${visible(tokens[to]!.text)} (${percent(row[to]!)})`);
  return `${visible(tokens[from]!.text)} attends to ${places.join(', ')}.`;
}

function Lines({
  map,
  count,
  token,
}: {
  map: Float32Array;
  count: number;
  token: number | undefined;
}): ReactElement {
  const height = count * rowHeight;
  const y = (i: number) => (i + 0.5) * rowHeight;
  const lines: ReactElement[] = [];
  for (let from = 0; from < count; from++) {
    if (token !== undefined && token !== from) continue;
    for (let to = 0; to < count; to++) {
      const weight = map[from * count + to]!;
      if (weight < (token === undefined ? 3 * least : least)) continue;
      lines.push(
        <line
          key={`${from}-${to}`}
          x1="0"
          y1={y(from)}
          x2="100"
          y2={y(to)}
          strokeOpacity={weight}
        />,
      );
    }
  }
  return (
    <svg
      className="head-lines"
      aria-hidden="true"
      width="100"
      height={height}
      viewBox={`0 0 100 ${height}`}
      preserveAspectRatio="none"
    >
      {lines}
    </svg>
  );
}
