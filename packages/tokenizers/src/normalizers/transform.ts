import { type NormalizedText, sizeOf } from '../text/normalized-text.js';

/** A new text, character by character, and what each does with the characters of the old one. */
export interface Transform {
  codePoints: number[];
  /** 0: in place of the next one; 1: added; −n: in place of the next one, and n more are gone. */
  changes: number[];
}

/** Rewrites a whole text; an added character has the place of the one before it. */
export function transform(text: NormalizedText, { codePoints, changes }: Transform): void {
  text.rewrite((out) => {
    const { source, sourceLength } = out;
    let at = 0;
    const skip = () => {
      if (at < sourceLength) at += sizeOf(codePointOf(source, at));
    };
    for (let i = 0; i < codePoints.length; i++) {
      const change = changes[i]!;
      if (change > 0) {
        out.put(codePoints[i]!, at - 1);
        continue;
      }
      out.put(codePoints[i]!, Math.min(at, sourceLength - 1));
      for (let n = change; n <= 0; n++) skip();
    }
  });
}

function codePointOf(units: Uint16Array, at: number): number {
  const unit = units[at]!;
  return (unit & 0xfc00) === 0xd800 ? 0x10000 : unit;
}

/** Leaves characters out. */
export function filterCharacters(
  text: NormalizedText,
  keeps: (codePoint: number) => boolean,
): void {
  let all = true;
  for (let i = 0; all && i < text.length; ) {
    const codePoint = text.codePoint(i);
    all = keeps(codePoint);
    i += sizeOf(codePoint);
  }
  if (all) return;
  text.rewrite((out) => {
    for (let i = 0; i < out.sourceLength; ) {
      const codePoint = text.codePoint(i);
      const size = sizeOf(codePoint);
      if (keeps(codePoint)) out.keep(i, i + size);
      i += size;
    }
  });
}

/** Puts other characters in the place of each. */
export function mapCharacters(
  text: NormalizedText,
  map: (codePoint: number) => readonly number[] | undefined,
): void {
  let changes = false;
  for (let i = 0; !changes && i < text.length; ) {
    const codePoint = text.codePoint(i);
    changes = map(codePoint) !== undefined;
    i += sizeOf(codePoint);
  }
  if (!changes) return;
  text.rewrite((out) => {
    for (let i = 0; i < out.sourceLength; ) {
      const codePoint = text.codePoint(i);
      const size = sizeOf(codePoint);
      const others = map(codePoint);
      if (others) for (const other of others) out.put(other, i);
      else out.keep(i, i + size);
      i += size;
    }
  });
}
