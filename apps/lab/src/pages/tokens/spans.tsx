import { type ReactElement, useState } from 'react';
import type { TokenSpan } from '../../desk/spans.js';
import { figure, visible } from '../../ui/numbers.js';
import { InlineToken } from '../../ui/token.js';

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
      <p className="written">
        <span className="spans">
          {shown.map(({ id, label, token, bytes, start, end }, i) => (
            <InlineToken
              key={`${i}/${id}`}
              // Of a character in several tokens, the first shows it, and the others their bytes.
              text={text.slice(Math.max(start, shown[i - 1]?.end ?? 0), end)}
              bytes={bytes ?? visible(token)}
              className={`span-${i % 5}`}
              label={`${visible(label)}, id ${id}, characters ${start} to ${end}`}
              onPoint={() => setPointed(i)}
              onChoose={() => setPointed(i)}
            />
          ))}
        </span>
        <span className="muted small"> end of text</span>
      </p>
      <p className="small muted" aria-live="polite">
        {span ? (
          <>
            <span className="mono">{visible(span.label)}</span> has the id{' '}
            <span className="mono">{span.id}</span>, from character {span.start} to {span.end}; in
            the vocabulary <span className="mono">{span.token}</span>
            {span.bytes && (
              <>
                , bytes <span className="mono">{span.bytes}</span>
              </>
            )}
            .
          </>
        ) : (
          'Point at a token to see its id and its offsets.'
        )}
      </p>
      {spans.length > mostShown && (
        <p className="small muted">The first {mostShown} tokens are shown.</p>
      )}
      <details>
        <summary className="small">All ids</summary>
        <p className="mono small ids">{spans.map(({ id }) => id).join(' ')}</p>
      </details>
    </div>
  );
}
