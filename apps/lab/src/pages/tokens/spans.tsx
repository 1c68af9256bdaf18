import { type ReactElement, useState } from 'react';
import type { TokenSpan } from '../../desk/spans.js';
import { figure, visible } from '../../ui/numbers.js';

/** Tokens that are shown; a browser draws no more with ease. */
const mostShown = 2000;

/** A text in the colours of its tokens, with their numbers and places. */
export function Spans({
  text,
  spans,
}: {
  text: string;
  spans: readonly TokenSpan[];
}): ReactElement {
  const [pointed, setPointed] = useState<number>();
  const shown = spans.slice(0, mostShown);
  const characters = [...text].length;
  const span = pointed === undefined ? undefined : spans[pointed];
  return (
    <div className="stack">
      <dl className="figures">
        <div>
          <dt>Tokens</dt>
          <dd>{spans.length}</dd>
        </div>
        <div>
          <dt>Characters a token</dt>
          <dd>{spans.length === 0 ? '–' : figure(characters / spans.length)}</dd>
        </div>
        <div>
          <dt>Different tokens</dt>
          <dd>{new Set(spans.map(({ id }) => id)).size}</dd>
        </div>
      </dl>
      <p className="written spans">
        {shown.map(({ id, token, start, end }, i) => (
          <button
            key={`${i}/${id}`}
            type="button"
            className={`token span-${i % 5}`}
            aria-label={`${visible(token)}, number ${id}, characters ${start} to ${end}`}
            onPointerEnter={() => setPointed(i)}
            onFocus={() => setPointed(i)}
            onClick={() => setPointed(i)}
          >
            {start === end
              ? visible(token)
              : // Of a character in several tokens, the first shows it.
                start < (shown[i - 1]?.end ?? 0)
                ? '▪'
                : text.slice(start, end)}
          </button>
        ))}
      </p>
      <p className="small muted mono" aria-live="polite">
        {span
          ? `${visible(span.token)} → ${span.id}, characters ${span.start} to ${span.end}`
          : 'Point at a token to see its number and its place.'}
      </p>
      {spans.length > mostShown && (
        <p className="small muted">The first {mostShown} tokens are shown.</p>
      )}
      <details>
        <summary className="small">All numbers</summary>
        <p className="mono small ids">{spans.map(({ id }) => id).join(' ')}</p>
      </details>
    </div>
  );
}
