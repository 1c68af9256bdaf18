import { Encoding } from '../encoding.js';
import { type Fields, isCount, maxId } from '../fields.js';
import { trimOffsets } from './byte-level.js';
import type { Part, PostProcessor } from './post-processor.js';
import { specialTokens, typed } from './template.js';

/** A special token and its id. */
type Special = readonly [token: string, id: number];

/** `[CLS] A [SEP]`, `[CLS] A [SEP] B [SEP]`. */
export function readBertProcessing(fields: Fields): PostProcessor {
  const separator = readSpecial(fields, 'sep');
  const beginning = readSpecial(fields, 'cls');
  return {
    added: (pair) => (pair ? 3 : 2),
    process: (parts, addSpecialTokens) =>
      addSpecialTokens
        ? parts.map((part, i) =>
            i === 0 ? enclosed(part, [beginning], separator, 0) : enclosed(part, [], separator, 1),
          )
        : [...parts],
  };
}

/** `<s> A </s>`, `<s> A </s> </s> B </s>`, all of type 0. */
export function readRobertaProcessing(fields: Fields): PostProcessor {
  const separator = readSpecial(fields, 'sep');
  const beginning = readSpecial(fields, 'cls');
  const trims = fields.boolean('trim_offsets');
  const addPrefixSpace = fields.boolean('add_prefix_space');
  return {
    added: (pair) => (pair ? 4 : 2),
    process: (parts, addSpecialTokens) =>
      parts.map(({ encoding, text }, i) => {
        const trimmed = trims ? trimOffsets(encoding, addPrefixSpace, text) : encoding;
        const part = { text, encoding: typed(trimmed, 0) };
        return addSpecialTokens
          ? enclosed(part, [i === 0 ? beginning : separator], separator, 0)
          : part;
      }),
  };
}

/** A part between special tokens, the only ones that its mask then shows. */
function enclosed(
  { encoding, text }: Part,
  before: readonly Special[],
  after: Special,
  typeId: number,
): Part {
  const plain = encoding.withAll((part) => part.with({ special: part.ids.map(() => 0) }));
  const parts = [...before, plain, after].map((part) =>
    part instanceof Encoding ? part : special(encoding, part, typeId),
  );
  return { text, encoding: Encoding.concat(parts) };
}

const special = (like: Encoding, [token, id]: Special, typeId: number): Encoding =>
  specialTokens(like, [id], [token], typeId);

function readSpecial(fields: Fields, name: string): Special {
  const [token, id] = fields.array(name);
  if (typeof token !== 'string' || !isCount(id, maxId)) {
    fields.refuse(name, `a token and its id, from 0 to ${maxId}`);
  }
  return [token as string, id as number];
}
