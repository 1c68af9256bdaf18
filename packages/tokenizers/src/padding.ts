import { Encoding } from './encoding.js';
import { Fields } from './fields.js';

/** How encodings are made equally long. */
export interface Padding {
  /** How long; default as the longest of the batch. */
  length?: number;
  /** Lengths are rounded up to a multiple of this. */
  multipleOf?: number;
  /** Where padding goes; default right. */
  direction?: 'left' | 'right';
  /** The token of padding; default id 0, type 0, `[PAD]`. */
  id?: number;
  typeId?: number;
  token?: string;
}

/** Reads `padding`. */
export function readPadding(fields: Fields): Padding {
  const strategy = fields.value('strategy') ?? 'BatchLongest';
  const length =
    strategy === 'BatchLongest'
      ? undefined
      : new Fields(strategy, `${fields.path}.strategy`).count('Fixed');
  return {
    ...(length === undefined ? {} : { length }),
    ...(fields.has('pad_to_multiple_of') ? { multipleOf: fields.count('pad_to_multiple_of') } : {}),
    direction: fields.oneOf('direction', ['Left', 'Right'], 'Right') === 'Left' ? 'left' : 'right',
    id: fields.count('pad_id', 0),
    typeId: fields.count('pad_type_id', 0),
    token: fields.string('pad_token', '[PAD]'),
  };
}

/** Makes encodings equally long; none is cut. */
export function pad(encodings: readonly Encoding[], padding: Padding): Encoding[] {
  let length = padding.length ?? Math.max(0, ...encodings.map((encoding) => encoding.length));
  if (padding.multipleOf) length = Math.ceil(length / padding.multipleOf) * padding.multipleOf;
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
    surfaces: new Map(fill(0).map((_, i) => [i, token])),
  });
  const [first, second] = direction === 'left' ? [blank, encoding] : [encoding, blank];
  return Encoding.concat([first.with({}, []), second.with({}, [])]);
}
