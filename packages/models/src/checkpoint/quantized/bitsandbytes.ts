import { InputError } from '@headwise/core';
import { z } from 'zod';
import { parseWith } from '../../parse-with.js';
import type { FindMatrices, Parts, StoredMatrix } from './matrix.js';

const schema = z.looseObject({
  quantization_config: z.looseObject({ load_in_8bit: z.literal(true) }),
});

/** 1 / 127, as bitsandbytes writes it. */
const unit = Math.fround(7.874015718698502e-3);

/**
 * Matrices of bitsandbytes in 8 bits, `w = q · SCB / 127` with its roundings: of `X.weight` I8 `[Out, In]` a checkpoint has `X.SCB` `[Out]`, the
 * largest magnitude of each output, and `X.weight_format`, which is 0 for rows. They are dequantised as they are read; packed in `int8` they
 * have the same levels. Its kernels also round activations to 8 bits, except outliers; here they stay as they are.
 *
 * @throws InputError for 4 bits, another order, and tensors that are missing or of another type or shape
 * @see Dettmers et al. 2022, LLM.int8(), https://arxiv.org/abs/2208.07339
 */
export const bitsandbytesMatrices: FindMatrices = (parts, json, configName) => {
  parseWith(schema, json, configName);
  return new Map(parts.bases('.SCB').map((base) => [`${base}.weight`, matrixOf(parts, base)]));
};

function matrixOf(parts: Parts, base: string): StoredMatrix {
  const [key, scale, order] = [`${base}.weight`, `${base}.SCB`, `${base}.weight_format`];
  const [out, inner] = parts.matrix(key, 'I8');
  parts.check(scale, ['F32', 'F16', 'BF16'], [out]);
  if (parts.has(order)) parts.check(order, ['U8'], []);
  return {
    shape: [out, inner],
    parts: [key, scale, ...(parts.has(order) ? [order] : [])],
    dtype: 'bitsandbytes int8',
    values: async () => {
      const [format = 0] = parts.has(order) ? await parts.ints(order) : [];
      if (format !== 0) {
        throw new InputError(
          `${parts.name}: tensor '${order}' is ${format}; expected 0, the order of rows`,
        );
      }
      const levels = await parts.ints(key);
      const scales = await parts.floats(scale);
      return Float32Array.from(
        levels,
        (level, i) => Math.fround(level * scales[Math.floor(i / inner)]!) * unit,
      );
    },
  };
}
