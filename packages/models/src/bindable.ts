import { InputError, type ParamStore } from '@headwise/core';
import { sizeOf } from '@headwise/core/internal';
import { packedShapes, type WeightLimits, weightLimits } from '@headwise/kernels/internal';
import type { ModelSize } from './size.js';
import { type WeightDtype, type WeightOptions, weightDtypes } from './weight-options.js';

/**
 * Throws for a weight that the device in use cannot bind, not even in pieces, before it is made.
 *
 * @param size of the model: where its largest weight takes one binding in float32, every weight does
 * @param storeOf gives the parameters; only their shapes are read
 * @param name of the model in errors
 * @throws InputError with the bytes that the weight takes, those that the device can bind, and the types in which it fits
 */
export function checkWeightsBind(
  { largestBytes }: ModelSize,
  storeOf: () => ParamStore,
  options: WeightOptions,
  name: string,
): void {
  const limits = weightLimits();
  if (!limits || largestBytes <= limits.binding) return;
  const params = storeOf();
  const { dtype = 'f32', only = () => true } = options;
  const matrices = params.matrices();
  for (const [path, { shape }] of Object.entries(params.named())) {
    const matrix = matrices[path];
    const layout = matrix?.layout ?? 'in-out';
    const parts = (type: WeightDtype) => buffersOf(shape, layout, type, options.group);
    const own = parts(matrix && only(path) ? dtype : 'f32');
    if (bind(own, limits)) continue;
    const fitting = weightDtypes.filter((type) => type !== 'f32' && bind(parts(type), limits));
    throw new InputError(
      `${name}: '${path}' of shape [${shape.join(', ')}] takes ${sum(own)} bytes; the device makes buffers of at most ${limits.buffer} bytes and binds ${limits.pieces} pieces of ${limits.binding} for one weight; ${remedy(path, matrix ? fitting : [], options)}`,
    );
  }
}

const sum = (sizes: readonly number[]): number => sizes.reduce((total, size) => total + size, 0);

/** Bytes of the buffers that a parameter takes in a type. */
function buffersOf(
  shape: readonly number[],
  layout: 'in-out' | 'out-in',
  dtype: WeightDtype,
  group = 32,
): number[] {
  if (dtype === 'f32') return [4 * sizeOf(shape)];
  const [inner, out] = layout === 'in-out' ? [shape[0]!, shape[1]!] : [shape[1]!, shape[0]!];
  const { words, scales } = packedShapes(inner, out, dtype, dtype === 'int4' ? group : inner);
  return [words, ...(scales ? [scales] : [])].map((part) => 4 * sizeOf(part));
}

/** Whether a weight in some buffers can be bound; scales take one of the bindings that results leave. */
function bind(buffers: readonly number[], { buffer, binding, pieces }: WeightLimits): boolean {
  const count = sum(buffers.map((bytes) => Math.ceil(bytes / binding)));
  return count <= pieces && buffers.every((bytes) => bytes <= buffer);
}

function remedy(path: string, fitting: readonly WeightDtype[], { only }: WeightOptions): string {
  if (fitting.length === 0) return 'expected a smaller vocabulary or width';
  const types = fitting.map((type) => `'${type}'`).join(', ');
  return only && !only(path)
    ? `pack it too: \`only\` leaves it in float32, and it fits in ${types}`
    : `load the model with a dtype in which it fits: ${types}`;
}
