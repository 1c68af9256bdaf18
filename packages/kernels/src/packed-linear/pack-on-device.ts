import { currentDevice, InputError } from '@headwise/core';
import {
  allFinite,
  type MatrixLayout,
  type Packer,
  sizeOf,
  tensorWriter,
} from '@headwise/core/internal';
import * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { zeros } from '../dispatch/transfer.js';
import {
  formatParts,
  PackedWeight,
  packedShapes,
  type WeightFormat,
  WeightPacker,
} from './pack.js';
import { packPiece } from './pack-webgpu.js';

/**
 * Packs a weight piece by piece, where that is fastest: `int8` and `int4` on a GPU, and values that lie on the device there in any
 * case; else as `WeightPacker` does. The bits are the same.
 *
 * @param shape `[In, Out]`, or `[Out, In]` in the layout `out-in`
 * @param group values along In that share a scale, for int4
 * @throws InputError for an unknown format
 */
export function weightPacker(
  shape: readonly [number, number],
  format: WeightFormat,
  layout: MatrixLayout = 'in-out',
  group: 32 | 64 = 32,
): Packer {
  const device = currentDevice();
  if (tf.getBackend() !== 'webgpu' || !device) {
    return new WeightPacker(shape, format, layout, group);
  }
  if (!device.software && format !== 'f16') return new WebGPUPacker(shape, format, layout, group);
  // A software adapter computes on JavaScript's processor, and takes twice its time; halves are checked as they are packed.
  const host = new WeightPacker(shape, format, layout, group);
  let drawn: WebGPUPacker | undefined;
  return {
    step: host.step,
    add: (values) => host.add(values),
    addTensor: (values) => {
      drawn = new WebGPUPacker(shape, format, layout, group);
      drawn.addTensor(values);
    },
    finish: () => (drawn ?? host).finish(),
  };
}

/**
 * Sends pieces to the device and packs them there; no piece outlives its commands. Halves must be finite and at most
 * 65,504 already.
 */
export class WebGPUPacker implements Packer {
  readonly step: number;
  readonly #backend = tf.backend() as WebGPUBackend;
  readonly #layout: MatrixLayout;
  readonly #format: WeightFormat;
  readonly #shape: readonly [number, number];
  readonly #in: number;
  readonly #out: number;
  readonly #group: number;
  readonly #words: tf.Tensor2D;
  readonly #scales: tf.Tensor2D | undefined;
  #added = 0;

  constructor(
    shape: readonly [number, number],
    format: WeightFormat,
    layout: MatrixLayout = 'in-out',
    group: 32 | 64 = 32,
  ) {
    this.#shape = [shape[0], shape[1]];
    const [inner, out] = layout === 'in-out' ? shape : [shape[1], shape[0]];
    [this.#format, this.#layout, this.#in, this.#out] = [format, layout, inner, out];
    this.#group = format === 'int4' ? group : inner;
    const together = format === 'f16' ? 2 : this.#group;
    this.step = layout === 'in-out' ? together * out : inner;
    const { words, scales } = packedShapes(inner, out, format, this.#group);
    const cleared = (size: [number, number], dtype: 'int32' | 'float32') =>
      tf.keep(
        tf.engine().makeTensorFromTensorInfo(zeros(this.#backend, size, dtype)) as tf.Tensor2D,
      );
    this.#words = cleared(words, 'int32');
    this.#scales = scales && cleared(scales, 'float32');
  }

  add(values: Float32Array): void {
    const { length } = values;
    const left = this.#in * this.#out - this.#added;
    if (length > left || (length % this.step !== 0 && length !== left)) {
      throw new InputError(
        `packWeight: ${length} values of the ${left} left; expected a multiple of ${this.step}, or all`,
      );
    }
    if (!allFinite(values)) {
      const wrong = values.findIndex((value) => !Number.isFinite(value));
      throw new InputError(
        `packWeight: value ${this.#added + wrong} is ${values[wrong]}; expected finite values`,
      );
    }
    const writer = tensorWriter([length]);
    writer.write(0, values);
    const piece = writer.finish();
    this.#pack(piece);
    piece.dispose();
  }

  addTensor(values: tf.Tensor): void {
    if (this.#added > 0 || sizeOf(values.shape) !== this.#in * this.#out) {
      throw new InputError(
        `packWeight: a tensor of shape [${values.shape.join(', ')}] after ${this.#added} values; expected [${this.#shape.join(', ')}] and none before`,
      );
    }
    this.#pack(values);
  }

  #pack(piece: tf.Tensor): void {
    const [inner, out] = [this.#in, this.#out];
    const along = this.#layout === 'in-out';
    packPiece(this.#backend, piece, {
      bits: formatParts[this.#format].bits,
      group: this.#group,
      rows: along ? piece.size / out : inner,
      columns: along ? out : piece.size / inner,
      firstRow: along ? this.#added / out : 0,
      firstColumn: along ? 0 : this.#added / inner,
      stepIn: along ? out : 1,
      stepOut: along ? 1 : inner,
      words: this.#words,
      scales: this.#scales,
    });
    this.#added += piece.size;
  }

  finish(): PackedWeight {
    const left = this.#in * this.#out - this.#added;
    if (left > 0) throw new InputError(`packWeight: ${left} values are missing`);
    return new PackedWeight({
      shape: this.#shape,
      format: this.#format,
      in: this.#in,
      out: this.#out,
      group: this.#group,
      words: this.#words,
      scales: this.#scales,
    });
  }
}
