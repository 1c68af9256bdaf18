import { InputError, quoted } from '@headwise/core';
import type { MatrixLayout } from '@headwise/core/internal';
import * as tf from '@tensorflow/tfjs';
import { onDevice } from './on-device.js';
import { formatParts, type PackedFormat, PackedWeight, packedShapes } from './pack.js';

/** The form of a weight whose levels and scales are there already. */
export interface LevelsForm {
  /** `[In, Out]`, or `[Out, In]` in the layout `out-in`. */
  shape: readonly [number, number];
  layout: MatrixLayout;
  format: PackedFormat;
  /** Values along In that share a scale: whole words; left out where nothing is shared by groups. */
  group?: number | undefined;
}

/** Packs the levels and scales of a file as they are, output by output; nothing is rounded. */
export class LevelsPacker {
  readonly #form: LevelsForm;
  readonly #in: number;
  readonly #out: number;
  readonly #group: number;
  readonly #stride: number;
  readonly #words: Int32Array;
  readonly #scales: Float32Array | undefined;
  #given = 0;

  /** @throws InputError for a group that is not made of whole words, or that rows do not have whole where there are minima */
  constructor(form: LevelsForm) {
    const { shape, layout, format } = form;
    this.#form = form;
    [this.#in, this.#out] = layout === 'in-out' ? shape : [shape[1], shape[0]];
    const { bits, scales, minima } = formatParts[format];
    this.#group = scales === 'group' ? (form.group ?? 0) : this.#in;
    const perWord = 32 / bits;
    // A value beyond the last input must be 0: without minima its level is.
    const whole = !minima || this.#in % this.#group === 0;
    if (scales === 'group' && !(this.#group > 0 && this.#group % perWord === 0 && whole)) {
      throw new InputError(
        `packed weight: ${format} of ${this.#in} inputs in groups of ${quoted(form.group)}; expected a multiple of ${perWord}${minima ? ' that divides the inputs' : ''}`,
      );
    }
    const shapes = packedShapes(this.#in, this.#out, format, this.#group);
    this.#stride = shapes.words[1];
    this.#words = new Int32Array(shapes.words[0] * this.#stride);
    this.#scales = shapes.scales && new Float32Array(shapes.scales[0] * this.#stride);
  }

  /**
   * Packs one output.
   *
   * @param column its number
   * @param levels whole numbers `[In]`; the bits of the values in f16 and bf16
   * @param scales `[In / group]`, rounded up; one for all where an output has one
   * @param minima as scales, where the format has them
   */
  set(
    column: number,
    levels: Int8Array | Uint8Array | Uint16Array,
    scales?: Float32Array | undefined,
    minima?: Float32Array | undefined,
  ): void {
    const { bits } = formatParts[this.#form.format];
    const [words, stride] = [this.#words, this.#stride];
    const perWord = 32 / bits;
    const mask = 2 ** bits - 1;
    const inner = this.#in;
    let at = column;
    let k = 0;
    if (bits === 8) {
      for (; k + 4 <= inner; k += 4, at += stride) {
        words[at] =
          (levels[k]! & 0xff) |
          ((levels[k + 1]! & 0xff) << 8) |
          ((levels[k + 2]! & 0xff) << 16) |
          (levels[k + 3]! << 24);
      }
    } else if (bits === 4) {
      for (; k + 8 <= inner; k += 8, at += stride) {
        const low =
          (levels[k]! & 0xf) |
          ((levels[k + 1]! & 0xf) << 4) |
          ((levels[k + 2]! & 0xf) << 8) |
          ((levels[k + 3]! & 0xf) << 12);
        const high =
          (levels[k + 4]! & 0xf) |
          ((levels[k + 5]! & 0xf) << 4) |
          ((levels[k + 6]! & 0xf) << 8) |
          ((levels[k + 7]! & 0xf) << 12);
        words[at] = low | (high << 16);
      }
    }
    for (; k < inner; k += perWord, at += stride) {
      let word = 0;
      for (let j = 0; j < perWord && k + j < inner; j++)
        word |= (levels[k + j]! & mask) << (j * bits);
      words[at] = word;
    }
    const own = this.#scales;
    if (own && scales) {
      const rows = minima ? 2 : 1;
      for (let g = 0; g < scales.length; g++) {
        own[g * rows * stride + column] = scales[g]!;
        if (minima) own[(g * rows + 1) * stride + column] = minima[g]!;
      }
    }
    this.#given++;
  }

  /**
   * The packed weight, whose words are sent to the device at once.
   *
   * @throws InputError where outputs are missing
   */
  finish(): PackedWeight {
    if (this.#given !== this.#out) {
      throw new InputError(
        `packed weight: ${this.#given} outputs of ${this.#out} were given; expected all`,
      );
    }
    const { shape, format } = this.#form;
    const stride = this.#stride;
    const tensor = (values: Int32Array | Float32Array, type: 'int32' | 'float32') =>
      onDevice(tf.tensor2d(values, [values.length / stride, stride], type));
    return new PackedWeight({
      shape,
      format,
      in: this.#in,
      out: this.#out,
      group: this.#group,
      words: tensor(this.#words, 'int32'),
      scales: this.#scales && tensor(this.#scales, 'float32'),
    });
  }
}
