import type { ByteSource } from '@headwise/safetensors';
import { GgufError } from '../errors.js';
import { type GgmlType, ggmlTypes, typeOfCode } from '../types.js';
import { Cursor, type GgufReadValue, NeedsBytes } from './cursor.js';

/** A tensor of a file. */
export interface GgufTensorInfo {
  readonly type: GgmlType;
  /** Row-major, the last axis contiguous; a file lists the axes in the reverse order. */
  readonly shape: readonly number[];
  /** Its first byte in the file, and the one after its last. */
  readonly begin: number;
  readonly end: number;
}

/** What stands before the tensors of a file. */
export interface GgufHeader {
  /** By key, such as `llama.block_count`. */
  readonly metadata: ReadonlyMap<string, GgufReadValue>;
  /** By name, in the order of the data. */
  readonly tensors: ReadonlyMap<string, GgufTensorInfo>;
}

/** Bytes that are read first; a vocabulary of 128,000 tokens takes about 6 MB. */
const firstBytes = 2 ** 20;
/** More than any vocabulary takes. */
const maxHeaderBytes = 2 ** 28;
const maxAxes = 4;

/** Types of ggml that are named in errors. */
const otherTypes: Readonly<Record<number, string>> = {
  9: 'Q8_1',
  10: 'Q2_K',
  11: 'Q3_K',
  15: 'Q8_K',
  16: 'IQ2_XXS',
  17: 'IQ2_XS',
  18: 'IQ3_XXS',
  19: 'IQ1_S',
  21: 'IQ3_S',
  22: 'IQ2_S',
  23: 'IQ4_XS',
  24: 'I8',
  25: 'I16',
  26: 'I32',
  27: 'I64',
  28: 'F64',
  29: 'IQ1_M',
  34: 'TQ1_0',
  35: 'TQ2_0',
  39: 'MXFP4',
};

/**
 * Reads the header of a GGUF file of version 2 or 3: metadata, and where each tensor lies.
 *
 * @param source read from its first byte as far as the header goes, and not closed
 * @throws GgufError for another magic or version, an unknown type, a file that ends early, and a tensor that is not in the file
 * @see https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 */
export async function readGgufHeader(source: ByteSource): Promise<GgufHeader> {
  const { name, size } = source;
  let bytes = new Uint8Array(0);
  for (let length = Math.min(firstBytes, size); ; ) {
    const longer = new Uint8Array(length);
    longer.set(bytes);
    await source.read(bytes.length, longer.subarray(bytes.length));
    bytes = longer;
    try {
      return parseHeader(new Cursor(bytes, name), name, size);
    } catch (error) {
      if (!(error instanceof NeedsBytes)) throw error;
      const most = Math.min(size, maxHeaderBytes);
      if (error.until > most) {
        throw new GgufError(
          most === size
            ? `${name}: has ${size} bytes and ends in its header, which goes on to byte ${error.until}`
            : `${name}: the header goes on to byte ${error.until}; expected at most ${maxHeaderBytes} bytes`,
        );
      }
      length = Math.min(most, Math.max(error.until, 2 * length));
    }
  }
}

function parseHeader(cursor: Cursor, name: string, size: number): GgufHeader {
  const magic = cursor.u32();
  if (magic !== 0x46554747) {
    throw new GgufError(
      `${name}: begins with 0x${magic.toString(16).padStart(8, '0')}; expected 'GGUF' (0x46554747)`,
    );
  }
  const version = cursor.u32();
  if (version !== 2 && version !== 3) {
    const swapped = version > 0 && version % 2 ** 24 === 0 ? ', of big-endian order' : '';
    throw new GgufError(`${name}: is of version ${version}${swapped}; expected 2 or 3`);
  }
  const tensorCount = cursor.u64();
  const count = cursor.u64();
  const metadata = new Map<string, GgufReadValue>();
  for (let i = 0; i < count; i++) {
    const key = cursor.string();
    if (metadata.has(key)) throw new GgufError(`${name}: has '${key}' twice`);
    metadata.set(key, cursor.value(key));
  }
  const infos: [string, Omit<GgufTensorInfo, 'end'>][] = [];
  for (let i = 0; i < tensorCount; i++) infos.push(readInfo(cursor, name));
  const alignment = metadata.get('general.alignment') ?? 32;
  if (typeof alignment !== 'number' || !(Number.isInteger(alignment) && alignment > 0)) {
    throw new GgufError(
      `${name}: 'general.alignment' is ${alignment}; expected a whole number of at least 1`,
    );
  }
  const start = Math.ceil(cursor.at / alignment) * alignment;
  return { metadata, tensors: placed(infos, start, { name, size }) };
}

/** The place is counted from the first byte of the data. */
function readInfo(cursor: Cursor, name: string): [string, Omit<GgufTensorInfo, 'end'>] {
  const key = cursor.string();
  const axes = cursor.u32();
  if (axes > maxAxes) {
    throw new GgufError(`${name}: tensor '${key}' has ${axes} axes; expected at most ${maxAxes}`);
  }
  const shape = Array.from({ length: axes }, () => cursor.u64()).reverse();
  const code = cursor.u32();
  const type = typeOfCode(code);
  if (!type) {
    const known = otherTypes[code];
    throw new GgufError(
      `${name}: tensor '${key}' is of type ${known ?? code}${known ? ` (${code})` : ''}; expected ${Object.keys(ggmlTypes).join(', ')}`,
    );
  }
  return [key, { type, shape, begin: cursor.u64() }];
}

function placed(
  infos: readonly [string, Omit<GgufTensorInfo, 'end'>][],
  start: number,
  { name, size }: { name: string; size: number },
): Map<string, GgufTensorInfo> {
  const tensors = new Map<string, GgufTensorInfo>();
  for (const [key, { type, shape, begin: offset }] of [...infos].sort(
    ([, a], [, b]) => a.begin - b.begin,
  )) {
    if (tensors.has(key)) throw new GgufError(`${name}: has tensor '${key}' twice`);
    const { values, bytes } = ggmlTypes[type];
    const row = shape.at(-1) ?? 1;
    if (row % values !== 0) {
      throw new GgufError(
        `${name}: tensor '${key}' has rows of ${row} values; ${type} takes multiples of ${values}`,
      );
    }
    const count = shape.reduce((product, axis) => product * axis, 1);
    const begin = start + offset;
    const end = begin + (count / values) * bytes;
    if (!(end <= size)) {
      throw new GgufError(
        `${name}: tensor '${key}' of shape [${shape.join(', ')}] lies at bytes ${begin} to ${end}; the file has ${size}`,
      );
    }
    tensors.set(key, { type, shape, begin, end });
  }
  return tensors;
}
