import type { ReactElement } from 'react';
import { labelOfBytes } from '../../text/token-text.js';
import { percent, visible } from '../../ui/numbers.js';
import { InlineToken } from '../../ui/token.js';
import type { WrittenToken } from '../../worker/writing.js';

/** Limits of the colour classes, from improbable to almost certain. */
const shades = [0.02, 0.1, 0.3, 0.7];

/** A text whose tokens are coloured by their probability. */
export function Text({
  tokens,
  busy,
  onToken,
}: {
  tokens: readonly WrittenToken[];
  busy: boolean;
  onToken(index: number): void;
}): ReactElement {
  if (tokens.length === 0) return <p className="muted">No text generated yet.</p>;
  return (
    <>
      <p className="written" aria-busy={busy}>
        {tokens.map((token, i) => (
          <TokenOf
            key={`${i}/${token.id}`}
            token={token}
            onChoose={i === 0 || busy ? undefined : () => onToken(i)}
          />
        ))}
      </p>
      <div className="row small muted">
        <span>Probability of each token:</span>
        {['under 2 %', 'to 10 %', 'to 30 %', 'to 70 %', 'above'].map((words, i) => (
          <span key={words} className={`token shade-${i}`}>
            {words}
          </span>
        ))}
      </div>
      <p className="small muted">Choose a token to see the alternatives at its position.</p>
    </>
  );
}

function TokenOf({
  token: { text, bytes, probability },
  onChoose,
}: {
  token: WrittenToken;
  onChoose: (() => void) | undefined;
}): ReactElement {
  const shade =
    probability === undefined ? 'none' : shades.filter((limit) => probability >= limit).length;
  const words = text === '' ? (labelOfBytes(bytes) ?? 'no text') : visible(text);
  const title = `${words}${probability === undefined ? '' : `, ${percent(probability)}`}`;
  return (
    <InlineToken
      text={text}
      bytes={bytes}
      className={`shade-${shade}`}
      title={title}
      label={`${title}. See the alternatives`}
      onChoose={onChoose}
    />
  );
}
