import { Encoding } from './encoding.js';
import { Fields, isCount, maxId, mismatch } from './fields.js';
import { checkMade } from './limits.js';

/** The longest that an encoding is padded to. */
const maxLength = 2 ** 20;

/** Padding of encodings to one length. */
export interface Padding {
  /** How long; default as the longest of the batch. */
  length?: number | undefined;
  /** Lengths are rounded up to a multiple of this. */
  multipleOf?: number | undefined;
  /** Where padding goes; default right. */
  direction?: 'left' | 'right' | undefined;
  /** The token of padding; default id 0, type 0, `[PAD]`. */
  id?: number | undefined;
  typeId?: number | undefined;
  token?: string | undefined;
}

/** Reads `padding`. */
export function readPadding(fields: Fields): Padding {
  const strategy = fields.value('strategy') ?? 'BatchLongest';
  const length =
    strategy === 'BatchLongest'
      ? undefined
      : new Fields(strategy, `${fields.path}.strategy`).count('Fixed', undefined, maxLength);
  return {
    ...(length === undefined ? {} : { length }),
    ...(fields.has('pad_to_multiple_of')
      ? { multipleOf: fields.count('pad_to_multiple_of', undefined, maxLength) }
      : {}),
    direction: fields.oneOf('direction', ['Left', 'Right'], 'Right') === 'Left' ? 'left' : 'right',
    id: fields.id('pad_id', 0),
    typeId: fields.id('pad_type_id', 0),
    token: fields.string('pad_token', '[PAD]'),
  };
}

/** @throws TokenizerError where a length or an id is not one that encodings can have */
function checkPadding(padding: Padding): void {
  const most = { length: maxLength, multipleOf: maxLength, id: maxId, typeId: maxId };
  for (const name of Object.keys(most) as (keyof typeof most)[]) {
    const value = padding[name];
    if (value === undefined || isCount(value, most[name])) continue;
    throw mismatch(`padding.${name}`, value, `a whole number from 0 to ${most[name]}`);
  }
}

/**
 * Pads encodings to equal length, without truncating any.
 *
 * @throws TokenizerError where that takes more than 2^24 tokens, and more than 64 for each given token
 */
export function pad(encodings: readonly Encoding[], padding: Padding): Encoding[] {
  checkPadding(padding);
  let length = padding.length ?? encodings.reduce((most, one) => Math.max(most, one.length), 0);
  if (padding.multipleOf) length = Math.ceil(length / padding.multipleOf) * padding.multipleOf;
  const parts = encodings.flatMap((encoding) => [encoding, ...encoding.overflowing]);
  const tokens = parts.reduce((sum, part) => sum + part.length, 0);
  checkMade(`padding to ${length}`, parts.length * length, tokens);
  return encodings.map((encoding) => encoding.withAll((part) => padOne(part, length, padding)));
}

function padOne(encoding: Encoding, length: number, padding: Padding): Encoding {
  const { direction = 'right', id = 0, typeId = 0, token = '[PAD]' } = padding;
  const missing = length - encoding.length;
  if (missing <= 0) return encoding;
  const fill = (value: number, count = missing) => new Array<number>(count).fill(value);
  const blank = encoding.with({
    ids: fill(id),
    bounds: fill(0, 2 * missing),
    words: fill(-1),
    types: fill(typeId),
    special: fill(1),
    attention: fill(0),
    surfaces: new Map(encoding.nameOf(id) === token ? [] : fill(0).map((_, i) => [i, token])),
  });
  const [first, second] = direction === 'left' ? [blank, encoding] : [encoding, blank];
  return Encoding.concat([first.with({}, []), second.with({}, [])]);
}
