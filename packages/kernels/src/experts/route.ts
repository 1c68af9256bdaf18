import type * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { dispatch } from '../dispatch/dispatch.js';
import { elementWorkgroups, perElement } from '../dispatch/per-element.js';
import { defineProgram } from '../dispatch/program.js';
import { sortedOrder } from '../embedding/sort.js';

/** One lane a token; each choice is the best that comes behind the one before, by score and then by number. */
const chooseProgram = defineProgram({
  label: 'headwise/ChooseExperts',
  inputs: { scores: 'f32' },
  outputs: { choices: 'i32' },
  params: { size: 'u32', experts: 'u32', k: 'u32' },
  wgsl: perElement(/* wgsl */ `
      var last = 0u;
      for (var j = 0u; j < params.k; j++) {
        var best = params.experts;
        var most = 0.0;
        for (var e = 0u; e < params.experts; e++) {
          let score = scores[i * params.experts + e];
          if (j > 0u) {
            let before = scores[i * params.experts + last];
            if (score > before || (score == before && e <= last)) { continue; }
          }
          if (best == params.experts || score > most) { best = e; most = score; }
        }
        // Of scores that are not numbers none is best.
        last = min(best, params.experts - 1u);
        choices[i * params.k + j] = i32(last);
      }`),
});

/** Where each expert's pairs begin in the sorted order, and the place of each pair. */
const placeProgram = defineProgram({
  label: 'headwise/PlaceExperts',
  inputs: { order: 'i32', sorted: 'i32' },
  outputs: { places: 'i32', offsets: 'i32' },
  params: { size: 'u32', pairs: 'u32', experts: 'u32' },
  wgsl: perElement(/* wgsl */ `
      if (i < params.pairs) { places[u32(order[i])] = i32(i); }
      if (i <= params.experts) {
        var low = 0u;
        var high = params.pairs;
        while (low < high) {
          let middle = (low + high) / 2u;
          if (sorted[middle] < i32(i)) { low = middle + 1u; } else { high = middle; }
        }
        offsets[i] = i32(low);
      }`),
});

interface Arguments {
  inputs: { scores: tf.TensorInfo };
  backend: WebGPUBackend;
  attrs: { k: number };
}

/** @returns choices `[N, k]`, order `[R]`, places `[R]` and offsets `[E + 1]` */
export function routeTokensKernel({ inputs, backend, attrs: { k } }: Arguments): tf.TensorInfo[] {
  const [tokens, experts] = inputs.scores.shape as [number, number];
  const pairs = tokens * k;
  const { choices } = dispatch(backend, chooseProgram, {
    inputs,
    outputs: { choices: { shape: [tokens, k], dtype: 'int32' } },
    params: { size: tokens, experts, k },
    workgroups: elementWorkgroups(tokens),
  });
  const { order, sortedIds } = sortedOrder(backend, { ...choices, shape: [pairs] });
  const size = Math.max(pairs, experts + 1);
  const { places, offsets } = dispatch(backend, placeProgram, {
    inputs: { order, sorted: sortedIds },
    outputs: {
      places: { shape: [pairs], dtype: 'int32' },
      offsets: { shape: [experts + 1], dtype: 'int32' },
    },
    params: { size, pairs, experts },
    workgroups: elementWorkgroups(size),
  });
  backend.disposeData(sortedIds.dataId);
  return [choices, order, places, offsets];
}
