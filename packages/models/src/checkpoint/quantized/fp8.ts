import { InputError, quoted } from '@headwise/core';
import { z } from 'zod';
import { parseWith } from '../../parse-with.js';
import type { FindMatrices, Parts, StoredMatrix } from './matrix.js';

const size = z.number().int().min(1);
const schema = z.looseObject({
  quantization_config: z.looseObject({
    weight_block_size: z.tuple([size, size]).nullish(),
    fmt: z.literal('e4m3').nullish(),
    activation_scheme: z.enum(['dynamic', 'static']).nullish(),
  }),
});

/** The types of scales. */
const floats = ['F32', 'BF16', 'F16'];

/**
 * Matrices of FP8 (e4m3), `w = q s` rounded once to float32: of `X.weight` F8_E4M3 `[Out, In]` a checkpoint has `X.weight_scale_inv`, one for
 * each block of `weight_block_size`, `[⌈Out / block⌉, ⌈In / block⌉]`, or a single one for all, which may be called `X.weight_scale`. They are
 * dequantised as they are read; scales of activations (`input_scale`, `activation_scale`) round nothing here and are not read.
 *
 * @throws InputError for another type of values, and scales that are missing or of another shape
 * @see Micikevicius et al. 2022, FP8 formats for deep learning, https://arxiv.org/abs/2209.05433
 */
export const fp8Matrices: FindMatrices = (parts, json, configName) => {
  const { quantization_config: settings } = parseWith(schema, json, configName) as z.infer<
    typeof schema
  >;
  const block = settings.weight_block_size ?? undefined;
  const found = new Map<string, StoredMatrix>();
  for (const base of parts.bases('.weight')) {
    const { dtype } = parts.reader.tensors.get(`${base}.weight`)!;
    if (dtype.startsWith('F8')) found.set(`${base}.weight`, matrixOf(parts, base, block));
  }
  return found;
};

function matrixOf(parts: Parts, base: string, block: [number, number] | undefined): StoredMatrix {
  const key = `${base}.weight`;
  const { shape, dtype } = parts.reader.tensors.get(key)!;
  if (shape.length !== 2 || dtype !== 'F8_E4M3') {
    throw new InputError(
      `${parts.name}: tensor '${key}' is ${dtype} of shape ${quoted(shape)}; expected a matrix of F8_E4M3`,
    );
  }
  const [out, inner] = shape as [number, number];
  const names = [`${key}_scale_inv`, `${key}_scale`];
  const scale = names.find((name) => parts.has(name)) ?? names[0]!;
  const [high, wide] = block ?? [out, inner];
  const [rows, columns] = [Math.ceil(out / high), Math.ceil(inner / wide)];
  const own = parts.reader.tensors.get(scale)?.shape;
  // One for all lies alone, however it is shaped.
  const single = !block && own?.every((size) => size === 1);
  const why = `'quantization_config.weight_block_size' is ${quoted(block)}`;
  parts.check(scale, floats, single ? own! : [rows, columns], why);
  const others = ['input_scale', 'activation_scale'].map((name) => `${base}.${name}`);
  return {
    shape: [out, inner],
    parts: [key, scale, ...others.filter((name) => parts.has(name))],
    dtype: 'F8_E4M3',
    values: async () => {
      const values = await parts.floats(key);
      const scales = await parts.floats(scale);
      for (let o = 0, at = 0; o < out; o++) {
        const row = Math.floor(o / high) * columns;
        for (let i = 0; i < inner; i++, at++) values[at]! *= scales[row + Math.floor(i / wide)]!;
      }
      return values;
    },
  };
}
