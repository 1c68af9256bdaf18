import type { ReactElement } from 'react';
import { percent, visible } from '../../ui/numbers.js';
import type { WrittenToken } from '../../worker/writing.js';

/** From very surprising to almost certain. */
const shades = [0.02, 0.1, 0.3, 0.7];

/** A text whose tokens are coloured by how likely the model thought them. */
export function Text({
  tokens,
  busy,
  onToken,
}: {
  tokens: readonly WrittenToken[];
  busy: boolean;
  onToken(index: number): void;
}): ReactElement {
  if (tokens.length === 0) return <p className="muted">Nothing is written yet.</p>;
  return (
    <>
      <p className="written" aria-busy={busy}>
        {tokens.map((token, i) => (
          <TokenOf
            key={`${i}/${token.id}`}
            token={token}
            onChoose={i === 0 ? undefined : () => onToken(i)}
          />
        ))}
      </p>
      <div className="row small muted">
        <span>How sure the model was:</span>
        {['under 2 %', 'to 10 %', 'to 30 %', 'to 70 %', 'above'].map((words, i) => (
          <span key={words} className={`token shade-${i}`}>
            {words}
          </span>
        ))}
      </div>
      <p className="small muted">Choose a token to see what else could have stood in its place.</p>
    </>
  );
}

function TokenOf({
  token: { text, probability },
  onChoose,
}: {
  token: WrittenToken;
  onChoose: (() => void) | undefined;
}): ReactElement {
  const shade =
    probability === undefined ? 'none' : shades.filter((limit) => probability >= limit).length;
  const title = `${visible(text)}${probability === undefined ? '' : `, ${percent(probability)}`}`;
  return (
    <button
      type="button"
      className={`token shade-${shade}`}
      title={title}
      aria-label={`${title}. See the alternatives`}
      disabled={onChoose === undefined}
      onClick={onChoose}
    >
      {text}
    </button>
  );
}
