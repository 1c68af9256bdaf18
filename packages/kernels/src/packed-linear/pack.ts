import { checkOneOf, InputError } from '@headwise/core';
import { type MatrixLayout, type PackedParam, type Packer, sizeOf } from '@headwise/core/internal';
import { largestHalf } from '@headwise/safetensors/internal';
import * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { zeros } from '../dispatch/transfer.js';
import { type Block, packBytes, packHalves, packNibbles, raiseMagnitudes } from './block.js';
import { onDevice } from './on-device.js';

/** How a packed weight keeps its values: in half precision, or as 8- or 4-bit whole numbers with scales. */
export type WeightFormat = (typeof weightFormats)[number];
export const weightFormats = ['f16', 'int8', 'int4'] as const;

/**
 * How a packed weight lies in memory: a {@link WeightFormat}, or one that files bring along. `bf16` is the upper half of a
 * float32. In `int8-groups` values along In share a scale, as in `int4`; in `uint4` and `uint8` they share a minimum too,
 * and are unsigned: `w = q s − m`.
 */
export type PackedFormat = WeightFormat | 'bf16' | 'int8-groups' | 'uint4' | 'uint8';

/** What a packed format is made of. */
export interface FormatParts {
  /** Bits of one value. */
  bits: 4 | 8 | 16;
  /** What shares a scale: nothing, as there is none, the values of an output, or a group of them. */
  scales: 'none' | 'output' | 'group';
  /** Whether each scale has a minimum beside it; values are unsigned then. */
  minima: boolean;
}

export const formatParts: Readonly<Record<PackedFormat, FormatParts>> = {
  f16: { bits: 16, scales: 'none', minima: false },
  bf16: { bits: 16, scales: 'none', minima: false },
  int8: { bits: 8, scales: 'output', minima: false },
  int4: { bits: 4, scales: 'group', minima: false },
  'int8-groups': { bits: 8, scales: 'group', minima: false },
  uint4: { bits: 4, scales: 'group', minima: true },
  uint8: { bits: 8, scales: 'group', minima: true },
};

/** A weight `[In, Out]` whose values lie several in a 32-bit word. */
export class PackedWeight implements PackedParam {
  /** As the values came: `[In, Out]`, or `[Out, In]`. */
  readonly shape: readonly [number, number];
  readonly format: PackedFormat;
  readonly in: number;
  readonly out: number;
  /**
   * `[⌈In / values in a word⌉, 4 ⌈Out / 4⌉]`, int32; the first value lies in the lowest bits. Rows are as
   * long as whole vectors, so that four words can be read at once.
   */
  readonly words: tf.Tensor2D;
  /**
   * `[⌈In / group⌉, 4 ⌈Out / 4⌉]`, float32: the size of one unit. With minima `[2 In / group, 4 ⌈Out / 4⌉]`: after each row of
   * scales one of minima. Absent for f16 and bf16.
   */
  readonly scales: tf.Tensor2D | undefined;
  /** Values along In that share a scale: all of them for int8, 32 or 64 for int4; other groups take whole words. */
  readonly group: number;

  /** Takes over the tensors. */
  constructor(parts: Omit<PackedWeight, 'bytes' | 'dispose'>) {
    this.shape = parts.shape;
    this.format = parts.format;
    this.in = parts.in;
    this.out = parts.out;
    this.words = parts.words;
    this.scales = parts.scales;
    this.group = parts.group;
  }

  get bytes(): number {
    return 4 * (this.words.size + (this.scales?.size ?? 0));
  }

  dispose(): void {
    this.words.dispose();
    this.scales?.dispose();
  }
}

/** Bits of one value. */
export const bitsOf = (format: PackedFormat): number => formatParts[format].bits;

/**
 * Packs a weight: f16 rounds to the nearest half; int8 and int4 store `round(w / s)`, where the scale
 * s is the largest magnitude among the values that share it, divided by 127 or 7.
 *
 * @param values row by row
 * @param shape `[In, Out]`, or `[Out, In]` in the layout `out-in`
 * @param group values along In that share a scale, for int4
 * @throws InputError for an unknown format, and where a value is not finite or too large for a half, or the sizes do not fit
 */
export function packWeight(
  values: Float32Array,
  shape: readonly [number, number],
  format: WeightFormat,
  layout: MatrixLayout = 'in-out',
  group: 32 | 64 = 32,
): PackedWeight {
  const packer = new WeightPacker(shape, format, layout, group);
  if (values.length !== shape[0] * shape[1] || values.length === 0) {
    throw new InputError(
      `packWeight: ${values.length} values for the shape [${shape.join(', ')}]; expected ${shape[0] * shape[1]}, at least 1`,
    );
  }
  packer.add(values);
  return packer.finish();
}

/** Shapes of a packed weight's words and scales; the latter undefined for formats without. */
export function packedShapes(
  inner: number,
  out: number,
  format: PackedFormat,
  group: number,
): { words: [number, number]; scales: [number, number] | undefined } {
  const stride = 4 * Math.ceil(out / 4);
  const { bits, scales, minima } = formatParts[format];
  const rows = (minima ? 2 : 1) * Math.ceil(inner / group);
  return {
    words: [Math.ceil(inner / (32 / bits)), stride],
    scales: scales === 'none' ? undefined : [rows, stride],
  };
}

/**
 * A packed weight of zeros on WebGPU, without values on the host: for planning memory.
 *
 * @param shape `[In, Out]`, or `[Out, In]` in the layout `out-in`
 */
export function zeroWeight(
  shape: readonly [number, number],
  format: WeightFormat,
  layout: MatrixLayout,
  group: number,
): PackedWeight {
  const [inner, out] = layout === 'in-out' ? shape : [shape[1], shape[0]];
  const shared = format === 'int4' ? group : inner;
  const { words, scales } = packedShapes(inner, out, format, shared);
  const cleared = (size: [number, number], dtype: 'int32' | 'float32') =>
    tf.keep(
      tf
        .engine()
        .makeTensorFromTensorInfo(zeros(tf.backend() as WebGPUBackend, size, dtype)) as tf.Tensor2D,
    );
  return new PackedWeight({
    shape,
    format,
    in: inner,
    out,
    group: shared,
    words: cleared(words, 'int32'),
    scales: scales && cleared(scales, 'float32'),
  });
}

/** Columns that lie behind each other and are packed together: their words fill a line of the cache. */
const columnsAtOnce = 16;

/** Packs a weight as `packWeight` does, whose values come piece by piece. */
export class WeightPacker implements Packer {
  /** The values that `add` takes: a multiple of this number, or all that are left. */
  readonly step: number;
  readonly #shape: readonly [number, number];
  readonly #format: WeightFormat;
  readonly #layout: MatrixLayout;
  readonly #in: number;
  readonly #out: number;
  readonly #group: number;
  readonly #stride: number;
  readonly #words: Int32Array;
  readonly #scales: Float32Array | undefined;
  /** Of each column of a block: the largest magnitude as bits and as a number, and units in 1. */
  readonly #most: Int32Array;
  readonly #largest: Float32Array;
  readonly #perUnit: Float64Array;
  #added = 0;

  /**
   * @param shape `[In, Out]`, or `[Out, In]` in the layout `out-in`
   * @param group values along In that share a scale, for int4
   * @throws InputError for an unknown format
   */
  constructor(
    shape: readonly [number, number],
    format: WeightFormat,
    layout: MatrixLayout = 'in-out',
    group: 32 | 64 = 32,
  ) {
    checkOneOf('packWeight: format', format, weightFormats);
    const [inner, out] = layout === 'in-out' ? shape : [shape[1], shape[0]];
    this.#shape = [shape[0], shape[1]];
    this.#format = format;
    this.#layout = layout;
    [this.#in, this.#out] = [inner, out];
    this.#group = format === 'int4' ? group : inner;
    const { words, scales } = packedShapes(inner, out, format, this.#group);
    this.#stride = words[1];
    const perWord = 32 / bitsOf(format);
    const together = format === 'f16' ? perWord : this.#group;
    this.step = layout === 'in-out' ? together * out : inner;
    this.#words = new Int32Array(sizeOf(words));
    this.#scales = scales && new Float32Array(sizeOf(scales));
    const columns = layout === 'in-out' ? out : columnsAtOnce;
    this.#most = new Int32Array(columns);
    this.#largest = new Float32Array(this.#most.buffer);
    this.#perUnit = new Float64Array(columns);
  }

  /**
   * Packs the values that follow, row by row.
   *
   * @throws InputError for another number of values than `step` allows, and where one is not finite or too large for a half
   */
  add(values: Float32Array): void {
    const [inner, out] = [this.#in, this.#out];
    const left = inner * out - this.#added;
    const { length } = values;
    if (length > left || (length % this.step !== 0 && length !== left)) {
      throw new InputError(
        `packWeight: ${length} values of the ${left} left; expected a multiple of ${this.step}, or all`,
      );
    }
    if (this.#layout === 'in-out') {
      const block = { first: 0, stepIn: out, stepOut: 1, rows: length / out, columns: out };
      this.#pack(values, block, this.#added / out, 0);
    } else {
      for (let column = 0; column < length / inner; column += columnsAtOnce) {
        const columns = Math.min(columnsAtOnce, length / inner - column);
        const block = { first: column * inner, stepIn: 1, stepOut: inner, rows: inner, columns };
        this.#pack(values, block, 0, this.#added / inner + column);
      }
    }
    this.#added += length;
  }

  /**
   * The packed weight, whose words are sent to the device at once.
   *
   * @throws InputError where values are missing
   */
  finish(): PackedWeight {
    const left = this.#in * this.#out - this.#added;
    if (left > 0) throw new InputError(`packWeight: ${left} values are missing`);
    const stride = this.#stride;
    const tensor = (values: Int32Array | Float32Array, type: 'int32' | 'float32') =>
      onDevice(tf.tensor2d(values, [values.length / stride, stride], type));
    return new PackedWeight({
      shape: this.#shape,
      format: this.#format,
      in: this.#in,
      out: this.#out,
      group: this.#group,
      words: tensor(this.#words, 'int32'),
      scales: this.#scales && tensor(this.#scales, 'float32'),
    });
  }

  /** Packs a block whose first value is of this row and column of the weight. */
  #pack(values: Float32Array, block: Block, row: number, column: number): void {
    const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
    const stride = this.#stride;
    const perWord = 32 / bitsOf(this.#format);
    const scales = this.#scales;
    if (!scales) {
      const into = { words: this.#words, first: (row / perWord) * stride + column, stride };
      if (!packHalves(bits, block, into)) this.#refuse(values, largestHalf);
      return;
    }
    const pack = this.#format === 'int8' ? packBytes : packNibbles;
    const [most, largest, perUnit] = [this.#most, this.#largest, this.#perUnit];
    for (let k = 0; k < block.rows; k += this.#group) {
      const rows = Math.min(this.#group, block.rows - k);
      const part = { ...block, first: block.first + k * block.stepIn, rows };
      most.fill(0);
      raiseMagnitudes(bits, part, most);
      const scale = ((row + k) / this.#group) * stride + column;
      for (let c = 0; c < block.columns; c++) {
        if (!Number.isFinite(largest[c]!)) this.#refuse(values, Number.MAX_VALUE);
        scales[scale + c] = largest[c]! / (2 ** (bitsOf(this.#format) - 1) - 1);
        const unit = scales[scale + c]!;
        perUnit[c] = unit === 0 ? 0 : 1 / unit;
      }
      const first = ((row + k) / perWord) * stride + column;
      pack(values, part, perUnit, { words: this.#words, first, stride });
    }
  }

  #refuse(values: Float32Array, limit: number): never {
    const wrong = values.findIndex((value) => !(Math.abs(value) <= limit));
    throw new InputError(
      `packWeight: value ${this.#added + wrong} is ${values[wrong]}; expected finite values${limit === largestHalf ? ` of at most ${largestHalf}` : ''}`,
    );
  }
}
