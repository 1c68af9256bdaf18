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
    process: (encodings, _, texts) =>
      trims
        ? encodings.map((encoding, i) => trimOffsets(encoding, addPrefixSpace, texts[i]!))
        : [...encodings],
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
      let from = start;
      for (let k = 0; k < leading && from < end; k++)
        from += text.codePointAt(from)! > 0xffff ? 2 : 1;
      const to = trailing > 0 && end >= trailing ? Math.max(end - trailing, from) : end;
      return [from, to];
    }),
  );
}

function isSpace(token: string, at: number): boolean {
  const unit = token.charCodeAt(at);
  return unit === blank || (classOf(unit) & space) !== 0;
}
