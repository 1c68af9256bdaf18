import { InputError, type ParamStore, readTensor } from '@headwise/core';
import type { PackingOptions } from '@headwise/layers';
import { packingOf } from './weight-options.js';

/**
 * Keeps the weights of a model's linear maps, embeddings and heads in fewer bits from now on, for inference.
 *
 * One weight at a time is read back, packed and freed. Packed weights have no gradient; `saveModel` saves them as they are.
 *
 * @returns the bytes of those weights, before and after
 * @throws InputError for an unknown type, and for values that are not finite or too large for a half; the weights before it are packed
 * @example
 * const { before, after } = await quantizeModel(model.params, { dtype: 'int8' });
 */
export async function quantizeModel(
  params: ParamStore,
  options: PackingOptions,
): Promise<{ before: number; after: number }> {
  const pack = packingOf('quantizeModel', options);
  if (!pack) throw new InputError("quantizeModel: dtype is 'f32'; expected f16, int8 or int4");
  const bytes = { before: 0, after: 0 };
  for (const [path, { variable, layout }] of Object.entries(params.matrices())) {
    if (!variable) continue;
    const packer = pack(path, variable.shape, layout);
    if (!packer) continue;
    const values = (await readTensor(variable)) as Float32Array;
    packer.add(values);
    const packed = packer.finish();
    bytes.before += values.byteLength;
    bytes.after += packed.bytes;
    params.pack(path, packed);
  }
  return bytes;
}
