import { toFloat32 } from '@headwise/safetensors';
import { type GgmlType, ggmlTypes } from '../types.js';

/** A type whose values are levels with scales. */
export type BlockType = Exclude<GgmlType, 'f32' | 'f16' | 'bf16'>;

/** What the values of a type are made of: `x = s q − m`, with a scale s and perhaps a minimum m for some values in a row. */
export interface BlockForm {
  /** Values that share a scale. */
  readonly group: number;
  /** Bits that a level needs. */
  readonly bits: 4 | 8;
  /** Whether there are minima; levels are unsigned then, else signed. */
  readonly minima: boolean;
  /** Splits the block that begins at byte `at` into the levels from `v` on, and the scales and minima from `g` on. */
  readonly split: (bytes: Uint8Array, at: number, into: BlockParts, v: number, g: number) => void;
}

/** Blocks taken apart. */
export interface BlockParts {
  /** One a value. */
  readonly levels: Int8Array;
  /** One a group. */
  readonly scales: Float32Array;
  /** One a group, or none. */
  readonly minima: Float32Array;
}

const { fround } = Math;

const halves = toFloat32({ dtype: 'F16', data: Uint16Array.from({ length: 65_536 }, (_, i) => i) });
const half = (bytes: Uint8Array, at: number): number => halves[bytes[at]! | (bytes[at + 1]! << 8)]!;

/** Levels by the numbers that bytes hold: from a least one on. */
const from = (least: number, count: 16 | 32): Int8Array =>
  Int8Array.from({ length: count }, (_, q) => least + q);

/** The levels of IQ4_NL, nearer to each other around 0. */
const uneven = Int8Array.of(
  ...[-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113],
);

/** The forms of the types that have blocks, each as ggml lays it out. */
export const blockForms: Readonly<Record<BlockType, BlockForm>> = {
  q4_0: { group: 32, bits: 4, minima: false, split: halfBytes(from(-8, 16)) },
  q4_1: { group: 32, bits: 4, minima: true, split: halfBytes(from(0, 16), true) },
  q5_0: { group: 32, bits: 8, minima: false, split: halfBytes(from(-16, 32)) },
  q5_1: { group: 32, bits: 8, minima: true, split: halfBytes(from(0, 32), true) },
  q8_0: { group: 32, bits: 8, minima: false, split: splitQ8 },
  iq4_nl: { group: 32, bits: 8, minima: false, split: halfBytes(uneven) },
  q4_k: { group: 32, bits: 4, minima: true, split: splitQ4K },
  q5_k: { group: 32, bits: 8, minima: true, split: splitQ5K },
  q6_k: { group: 16, bits: 8, minima: false, split: splitQ6K },
};

/**
 * `d, 16 bytes`: number i in the low half of byte i, number i + 16 in the high half; behind d the negative minimum where there is one, and
 * then 32 fifth bits where there are 32 levels.
 *
 * @param table the level of each number
 */
function halfBytes(table: Int8Array, hasMinima = false): BlockForm['split'] {
  const fifths = hasMinima ? 4 : 2;
  const hasFifths = table.length > 16;
  const first = fifths + (hasFifths ? 4 : 0);
  return (bytes, at, { levels, scales, minima }, v, g) => {
    scales[g] = half(bytes, at);
    if (hasMinima) minima[g] = -half(bytes, at + 2);
    for (let i = 0; i < 16; i++) {
      const byte = bytes[at + first + i]!;
      let [low, high] = [byte & 0xf, byte >> 4];
      if (hasFifths) {
        const bit = i & 7;
        low |= ((bytes[at + fifths + (i >> 3)]! >> bit) & 1) << 4;
        high |= ((bytes[at + fifths + 2 + (i >> 3)]! >> bit) & 1) << 4;
      }
      levels[v + i] = table[low]!;
      levels[v + i + 16] = table[high]!;
    }
  };
}

/** `d, 32 signed bytes`. */
function splitQ8(
  bytes: Uint8Array,
  at: number,
  { levels, scales }: BlockParts,
  v: number,
  g: number,
): void {
  scales[g] = half(bytes, at);
  // Stored in eight bits, which an Int8Array reads as signed.
  for (let i = 0; i < 32; i++) levels[v + i] = bytes[at + 2 + i]!;
}

/** Eight scales and minima of 6 bits in twelve bytes: the last four lend the others their upper bits. */
function splitScales(
  bytes: Uint8Array,
  at: number,
  { scales, minima }: BlockParts,
  g: number,
): void {
  const [d, least] = [half(bytes, at), half(bytes, at + 2)];
  for (let j = 0; j < 8; j++) {
    const byte = (i: number) => bytes[at + 4 + i]!;
    const scale = j < 4 ? byte(j) & 0x3f : (byte(j + 4) & 0xf) | ((byte(j - 4) >> 6) << 4);
    const minimum = j < 4 ? byte(j + 4) & 0x3f : (byte(j + 4) >> 4) | ((byte(j) >> 6) << 4);
    scales[g + j] = fround(d * scale);
    minima[g + j] = fround(least * minimum);
  }
}

/** `d, d', 12 bytes of scales, 128 bytes`: two groups share 32 bytes, the first in the low halves. */
function splitQ4K(bytes: Uint8Array, at: number, parts: BlockParts, v: number, g: number): void {
  splitScales(bytes, at, parts, g);
  const { levels } = parts;
  for (let pair = 0; pair < 4; pair++) {
    for (let i = 0; i < 32; i++) {
      const byte = bytes[at + 16 + 32 * pair + i]!;
      levels[v + 64 * pair + i] = byte & 0xf;
      levels[v + 64 * pair + 32 + i] = byte >> 4;
    }
  }
}

/** `d, d', 12 bytes of scales, 32 bytes of fifth bits, 128 bytes`: bit j of byte i is of value i of group j. */
function splitQ5K(bytes: Uint8Array, at: number, parts: BlockParts, v: number, g: number): void {
  splitScales(bytes, at, parts, g);
  const { levels } = parts;
  for (let pair = 0; pair < 4; pair++) {
    for (let i = 0; i < 32; i++) {
      const byte = bytes[at + 48 + 32 * pair + i]!;
      const fifth = bytes[at + 16 + i]! >> (2 * pair);
      levels[v + 64 * pair + i] = (byte & 0xf) | ((fifth & 1) << 4);
      levels[v + 64 * pair + 32 + i] = (byte >> 4) | ((fifth & 2) << 3);
    }
  }
}

/**
 * `128 low halves, 64 bytes of upper bits, 16 signed scales, d`: of each 128 values the first and second 32 lie in the low
 * halves of 64 bytes, the third and fourth in the high ones, and their upper bits in 32 bytes by twos; levels from −32.
 */
function splitQ6K(
  bytes: Uint8Array,
  at: number,
  { levels, scales }: BlockParts,
  v: number,
  g: number,
): void {
  const d = half(bytes, at + 208);
  for (let j = 0; j < 16; j++) scales[g + j] = fround(d * ((bytes[at + 192 + j]! << 24) >> 24));
  for (let part = 0; part < 2; part++) {
    const low = at + 64 * part;
    const high = at + 128 + 32 * part;
    for (let i = 0; i < 32; i++) {
      const [a, b, upper] = [bytes[low + i]!, bytes[low + 32 + i]!, bytes[high + i]!];
      const first = v + 128 * part + i;
      levels[first] = ((a & 0xf) | ((upper & 3) << 4)) - 32;
      levels[first + 32] = ((b & 0xf) | (((upper >> 2) & 3) << 4)) - 32;
      levels[first + 64] = ((a >> 4) | (((upper >> 4) & 3) << 4)) - 32;
      levels[first + 96] = ((b >> 4) | ((upper >> 6) << 4)) - 32;
    }
  }
}

/**
 * The levels and scales of a tensor whose type has blocks: value i is `s q − m` of level i and the scale and minimum of group
 * `⌊i / group⌋`.
 *
 * @param bytes whole blocks of the type, row after row
 * @param into room of the right sizes; default new arrays
 */
export function splitBlocks(bytes: Uint8Array, type: BlockType, into?: BlockParts): BlockParts {
  const { values, bytes: size } = ggmlTypes[type];
  const { group, minima, split } = blockForms[type];
  const count = (bytes.length / size) * values;
  const parts = into ?? {
    levels: new Int8Array(count),
    scales: new Float32Array(count / group),
    minima: new Float32Array(minima ? count / group : 0),
  };
  for (let at = 0, v = 0; at < bytes.length; at += size, v += values) {
    split(bytes, at, parts, v, v / group);
  }
  return parts;
}
