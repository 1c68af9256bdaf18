import { InputError } from '@headwise/core';
import type { AttentionMap } from './attention-maps.js';

/**
 * Attention rollout: the flow from each input token to each token through all layers: `Ã_L ⋯ Ã_1`, where
 * `Ã = ½ mean_h A_h + ½ I` stands for attention beside its residual path.
 *
 * @param maps of all heads and rows, `[H, T, T]` each, from the first layer to the last one of interest
 * @returns `[T, T]`; each row sums to 1
 * @throws InputError where a map is not square, or lacks rows
 * @see Abnar and Zuidema 2020, https://arxiv.org/abs/2005.00928
 */
export function attentionRollout(maps: readonly AttentionMap[]): Float32Array {
  const [first] = maps;
  if (!first) throw new InputError('attentionRollout: no maps are given');
  const size = first.keys;
  let flow = identity(size);
  for (const map of maps) {
    checkSquare(map, size);
    flow = product(withResidual(map), flow, size);
  }
  return Float32Array.from(flow);
}

function withResidual({ heads, keys, values }: AttentionMap): Float64Array {
  const mixed = identity(keys).map((value) => value / 2);
  const share = 0.5 / heads.length;
  for (let i = 0; i < values.length; i++) mixed[i % mixed.length]! += share * values[i]!;
  return mixed;
}

function product(a: Float64Array, b: Float64Array, size: number): Float64Array {
  const c = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < size; k++) {
      const factor = a[i * size + k]!;
      if (factor === 0) continue;
      for (let j = 0; j < size; j++) c[i * size + j]! += factor * b[k * size + j]!;
    }
  }
  return c;
}

function identity(size: number): Float64Array {
  return Float64Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? 1 : 0));
}

function checkSquare({ layer, rows, keys }: AttentionMap, size: number): void {
  const whole = rows.length === keys && rows.every((row, i) => row === i);
  if (whole && keys === size) return;
  throw new InputError(
    `attentionRollout: '${layer}' has ${rows.length} rows over ${keys} keys; expected all ${size} rows over ${size} keys`,
  );
}
