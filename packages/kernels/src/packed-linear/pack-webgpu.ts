import type * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { dispatch } from '../dispatch/dispatch.js';
import { elementWorkgroups, perElement } from '../dispatch/per-element.js';
import { defineProgram, variants } from '../dispatch/program.js';

/** A block of a weight and where it goes; value k of a column lies at `k stepIn + column stepOut` of the piece. */
export interface Piece {
  bits: 4 | 8 | 16;
  /** Values along In that share a scale. */
  group: number;
  rows: number;
  columns: number;
  /** The place of the block in the weight. */
  firstRow: number;
  firstColumn: number;
  stepIn: number;
  stepOut: number;
  words: tf.TensorInfo;
  /** Absent for 16 bits, which are halves. */
  scales: tf.TensorInfo | undefined;
}

/** Values of a column that one lane compares. */
const run = 64;

const fields = {
  size: 'u32',
  rows: 'u32',
  columns: 'u32',
  first_column: 'u32',
  step_in: 'u32',
  step_out: 'u32',
  group: 'u32',
  first_group: 'u32',
  first_word: 'u32',
  stride: 'u32',
  run: 'u32',
} as const;

/** Raises the bits of `scales` to those of the largest magnitude: without the sign bit, bits are ordered as magnitudes. */
const largestProgram = defineProgram({
  label: 'headwise/PackWeight/largest',
  inputs: { values: 'u32' },
  outputs: { scales: 'atomic<u32>' },
  params: fields,
  wgsl: perElement(/* wgsl */ `
    let column = i % params.columns;
    let first = i / params.columns * params.run;
    var largest = 0u;
    for (var k = first; k < min(first + params.run, params.rows); k++) {
      largest = max(largest, values[k * params.step_in + column * params.step_out] & 0x7fffffffu);
    }
    let group = params.first_group + first / params.group;
    atomicMax(&scales[group * params.stride + params.first_column + column], largest);
  `),
});

/**
 * Divides the largest magnitudes by 127 or 7, in integers: a quotient of WGSL may be 2.5 units in the last place off. A scale that would be
 * subnormal, which a GPU computes with as with 0, is 0.
 */
const scaleProgram = variants(
  (bits: 4 | 8) => `${bits}`,
  (bits) => {
    const divisor = 2 ** (bits - 1) - 1;
    return defineProgram({
      label: 'headwise/PackWeight/scale',
      inputs: {},
      outputs: { scales: 'u32' },
      params: fields,
      wgsl: perElement(/* wgsl */ `
        let at = (params.first_group + i / params.columns) * params.stride
          + params.first_column + i % params.columns;
        let largest = scales[at];
        let exponent = largest >> 23u;
        if (exponent < ${bits}u) {
          scales[at] = 0u;
        } else {
          // The quotient by ${divisor} has ${bits - 1} or ${bits - 2} digits less.
          let mantissa = (largest & 0x7fffffu) | 0x800000u;
          var shift = ${bits - 1}u;
          if ((mantissa << shift) / ${divisor}u >= 0x1000000u) { shift -= 1u; }
          let dividend = mantissa << shift;
          let rest = dividend % ${divisor}u;
          // No tie: the divisor is odd. A carry moves into the exponent.
          let quotient = dividend / ${divisor}u + select(0u, 1u, 2u * rest > ${divisor}u);
          scales[at] = ((exponent - shift - 1u) << 23u) + quotient;
        }
      `),
    });
  },
);

/** One lane a word. */
const wordsProgram = variants(
  (bits: 4 | 8) => `${bits}`,
  (bits) =>
    defineProgram({
      label: 'headwise/PackWeight',
      inputs: { values: 'u32', scales: 'u32' },
      outputs: { words: 'u32' },
      params: fields,
      wgsl: /* wgsl */ `
        // Whether v ≥ n u / 2, or v > n u / 2, for magnitudes v of values and u of scales, given as bits: exact.
        fn reaches(v: u32, n: u32, u: u32, strictly: bool) -> bool {
          let difference = i32(v >> 23u) - i32(u >> 23u);
          var left = 2u * ((v & 0x7fffffu) | 0x800000u);
          var right = n * ((u & 0x7fffffu) | 0x800000u);
          if (difference >= 0) { left <<= u32(difference); } else { right <<= u32(-difference); }
          return left > right || (left == right && !strictly);
        }
        // The magnitude of ⌊w / u + ½⌋ for a value w whose magnitude is v.
        fn rounded(v: u32, u: u32, per_unit: f32, negative: bool) -> u32 {
          let x = bitcast<f32>(v) * per_unit + 0.5;
          let nearest = round(x);
          // Reciprocals are off by units in the last place: near the middle between two numbers integers decide.
          if (abs(x - nearest) > 0.0009765625) { return u32(x); }
          let n = u32(nearest);
          return select(n - 1u, n, reaches(v, 2u * n - 1u, u, negative));
        }
        ${perElement(/* wgsl */ `
          let column = i % params.columns;
          let first = i / params.columns * ${32 / bits}u;
          let place = params.first_column + column;
          let unit = scales[(params.first_group + first / params.group) * params.stride + place];
          var word = 0u;
          if (unit != 0u) {
            let per_unit = 1.0 / bitcast<f32>(unit);
            let start = column * params.step_out;
            for (var j = 0u; j < min(${32 / bits}u, params.rows - first); j++) {
              let value = values[start + (first + j) * params.step_in];
              let negative = (value >> 31u) == 1u;
              let n = rounded(value & 0x7fffffffu, unit, per_unit, negative);
              word |= (select(n, 0u - n, negative) & ${2 ** bits - 1}u) << (${bits}u * j);
            }
          }
          words[(params.first_word + i / params.columns) * params.stride + place] = word;
        `)}
      `,
    }),
);

/** One lane a word of two halves, rounded to the nearest, ties to even, in integers: WGSL leaves the rounding open. */
const halvesProgram = defineProgram({
  label: 'headwise/PackWeight/halves',
  inputs: { values: 'u32' },
  outputs: { words: 'u32' },
  params: fields,
  wgsl: /* wgsl */ `
    fn half_bits(value: u32) -> u32 {
      let sign = (value >> 16u) & 0x8000u;
      let magnitude = value & 0x7fffffffu;
      if (magnitude >= 0x38800000u) {
        let bits = magnitude - 0x38000000u;
        return sign | ((bits + 0xfffu + ((bits >> 13u) & 1u)) >> 13u);
      }
      // Subnormal halves count in steps of 2⁻²⁴.
      let shift = 126u - (magnitude >> 23u);
      if (shift > 24u) { return sign; }
      let bits = (magnitude & 0x7fffffu) | 0x800000u;
      return sign | ((bits + (1u << (shift - 1u)) - 1u + ((bits >> shift) & 1u)) >> shift);
    }
    ${perElement(/* wgsl */ `
      let column = i % params.columns;
      let first = i / params.columns * 2u;
      let at = first * params.step_in + column * params.step_out;
      var word = half_bits(values[at]);
      if (first + 1u < params.rows) { word |= half_bits(values[at + params.step_in]) << 16u; }
      words[(params.first_word + i / params.columns) * params.stride + params.first_column + column] = word;
    `)}
  `,
});

/** Packs a block of values, whose rows begin a group, into its place: the same bits as `WeightPacker`'s. */
export function packPiece(backend: WebGPUBackend, values: tf.TensorInfo, piece: Piece): void {
  const { bits, group, rows, columns, words, scales } = piece;
  const perWord = 32 / bits;
  const runs = Math.min(run, group);
  const params = {
    rows,
    columns,
    first_column: piece.firstColumn,
    step_in: piece.stepIn,
    step_out: piece.stepOut,
    group,
    first_group: Math.floor(piece.firstRow / group),
    first_word: piece.firstRow / perWord,
    stride: words.shape[1]!,
    run: runs,
  };
  const over = (count: number) => ({
    params: { size: count * columns, ...params },
    workgroups: elementWorkgroups(count * columns),
  });
  if (bits === 16 || !scales) {
    dispatch(backend, halvesProgram, {
      inputs: { values },
      outputs: { words },
      ...over(Math.ceil(rows / 2)),
    });
    return;
  }
  const inPlace = { inputs: {}, outputs: { scales } };
  dispatch(backend, largestProgram, {
    inputs: { values },
    outputs: { scales },
    ...over(Math.ceil(rows / runs)),
  });
  dispatch(backend, scaleProgram(bits), { ...inPlace, ...over(Math.ceil(rows / group)) });
  dispatch(backend, wordsProgram(bits), {
    inputs: { values, scales },
    outputs: { words },
    ...over(Math.ceil(rows / perWord)),
  });
}
