import type { Encoding } from '../encoding.js';
import type { Fields } from '../fields.js';
import { trimOffsets } from './byte-level.js';
import type { PostProcessor } from './post-processor.js';
import { specialTokens, typed } from './template.js';

/** A special token and its id. */
type Special = readonly [token: string, id: number];

/** `[CLS] A [SEP]`, `[CLS] A [SEP] B [SEP]`. */
export function readBertProcessing(fields: Fields): PostProcessor {
  const separator = readSpecial(fields, 'sep');
  const beginning = readSpecial(fields, 'cls');
  return {
    added: (pair) => (pair ? 3 : 2),
    process(encodings, addSpecialTokens) {
      if (!addSpecialTokens) return [...encodings];
      return encodings.flatMap((encoding, i) =>
        i === 0
          ? [special(encoding, beginning, 0), encoding, special(encoding, separator, 0)]
          : [encoding, special(encoding, separator, 1)],
      );
    },
  };
}

/** `<s> A </s>`, `<s> A </s> </s> B </s>`, all of type 0. */
export function readRobertaProcessing(fields: Fields): PostProcessor {
  const separator = readSpecial(fields, 'sep');
  const beginning = readSpecial(fields, 'cls');
  const trims = fields.boolean('trim_offsets', true);
  const addPrefixSpace = fields.boolean('add_prefix_space', true);
  return {
    added: (pair) => (pair ? 4 : 2),
    process(encodings, addSpecialTokens, texts) {
      return encodings.flatMap((encoding, i) => {
        const text = typed(trims ? trimOffsets(encoding, addPrefixSpace, texts[i]!) : encoding, 0);
        if (!addSpecialTokens) return [text];
        const before = i === 0 ? beginning : separator;
        return [special(text, before, 0), text, special(text, separator, 0)];
      });
    },
  };
}

const special = (like: Encoding, [token, id]: Special, typeId: number): Encoding =>
  specialTokens(like, [id], [token], typeId);

function readSpecial(fields: Fields, name: string): Special {
  const [token, id] = fields.array(name);
  if (typeof token !== 'string' || !Number.isSafeInteger(id)) {
    fields.refuse(name, 'a token and its id');
  }
  return [token as string, id as number];
}
