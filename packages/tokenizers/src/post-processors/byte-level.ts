import type { Encoding } from '../encoding.js';
import type { Fields } from '../fields.js';
import { classOf, space } from '../text/classes.js';
import type { PostProcessor } from './post-processor.js';

/** Takes the white space at either end of each token out of its offsets. */
export function readByteLevelProcessor(fields: Fields): PostProcessor {
  const trims = fields.boolean('trim_offsets', true);
  const addPrefixSpace = fields.boolean('add_prefix_space', true);
  return {
    added: () => 0,
    process: (parts) =>
      trims
        ? parts.map(({ encoding, text }) => ({
            text,
            encoding: trimOffsets(encoding, addPrefixSpace, text),
          }))
        : parts,
  };
}

/** As byte-level BPE writes a space. */
const blank = 0x120;

/** Takes white space out of offsets, but for the space put in front of the first word. */
export function trimOffsets(encoding: Encoding, addPrefixSpace: boolean, text: string): Encoding {
  return encoding.withAll((part) =>
    part.mapOffsets((token, [start, end], i) => {
      let leading = 0;
      while (leading < token.length && isSpace(token, leading)) leading++;
      let trailing = 0;
      while (trailing < token.length && isSpace(token, token.length - 1 - trailing)) trailing++;
      if ((i === 0 || start === 0) && addPrefixSpace && leading === 1) leading = 0;
      const from = leading > 0 ? forth(text, start, end, leading) : start;
      const to = trailing > 0 ? back(text, from, end, trailing) : end;
      return [from, to];
    }),
  );
}

/** The place `count` characters behind `from`, at most `end`. */
function forth(text: string, from: number, end: number, count: number): number {
  let at = from;
  for (let k = 0; k < count && at < end; k++) at += text.codePointAt(at)! > 0xffff ? 2 : 1;
  return at;
}

/** The place `count` characters before `end`, at least `from`; `end` where the text has fewer. */
function back(text: string, from: number, end: number, count: number): number {
  let at = end;
  for (let k = 0; k < count; k++) {
    if (at === 0) return end;
    at -= at > 1 && text.codePointAt(at - 2)! > 0xffff ? 2 : 1;
  }
  return Math.max(at, from);
}

function isSpace(token: string, at: number): boolean {
  const unit = token.charCodeAt(at);
  return unit === blank || (classOf(unit) & space) !== 0;
}
