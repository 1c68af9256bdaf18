import type * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { dispatch, type Output, spread } from '../dispatch/dispatch.js';
import { elementWorkgroups, perElement } from '../dispatch/per-element.js';
import { defineProgram } from '../dispatch/program.js';

/** Ids that one workgroup sorts. */
const blockSize = 256;

/** Sorts each block of ids: an id's place is the number of ids that come before it. */
const blockProgram = defineProgram({
  label: 'headwise/SortBlocks',
  inputs: { ids: 'i32' },
  outputs: { order: 'i32', sortedIds: 'i32' },
  params: { size: 'u32' },
  wgsl: /* wgsl */ `
    var<workgroup> block: array<i32, ${blockSize}>;
    @compute @workgroup_size(${blockSize})
    fn main(
      @builtin(workgroup_id) workgroup: vec3u,
      @builtin(num_workgroups) count: vec3u,
      @builtin(local_invocation_index) lane: u32,
    ) {
      let start = (workgroup.y * count.x + workgroup.x) * ${blockSize}u;
      let i = start + lane;
      let own = ids[min(i, params.size - 1u)];
      block[lane] = own;
      workgroupBarrier();
      if (i >= params.size) { return; }
      let members = min(${blockSize}u, params.size - start);
      var place = start;
      for (var other = 0u; other < members; other++) {
        let id = block[other];
        place += select(0u, 1u, id < own || (id == own && other < lane));
      }
      order[place] = i32(i);
      sortedIds[place] = own;
    }
  `,
});

/** Runs that one pass merges: more would cost each id more searches, fewer more passes. */
const ways = 16;

/** Merges groups of sorted runs: an id moves by the number of ids of its group's other runs that come before it. */
const mergeProgram = defineProgram({
  label: 'headwise/MergeRuns',
  inputs: { runOrder: 'i32', runIds: 'i32' },
  outputs: { order: 'i32', sortedIds: 'i32' },
  params: { size: 'u32', length: 'u32' },
  wgsl: perElement(/* wgsl */ `
      let own = runIds[i];
      let home = i / params.length;
      let first = home - home % ${ways}u;
      let end = min(first + ${ways}u, (params.size - 1u) / params.length + 1u);
      var place = first * params.length + i % params.length;
      for (var run = first; run < end; run++) {
        if (run == home) { continue; }
        // Equal ids of earlier runs come first.
        let bound = own + select(0, 1, run < home);
        let start = run * params.length;
        var low = start;
        var high = min(start + params.length, params.size);
        while (low < high) {
          let middle = (low + high) / 2u;
          if (runIds[middle] < bound) { low = middle + 1u; } else { high = middle; }
        }
        place += low - start;
      }
      order[place] = runOrder[i];
      sortedIds[place] = own;
      `),
});

/**
 * Sorts ids stably, in one dispatch up to 256 of them, in two up to 4,096, and in one more for every 16 times as many.
 *
 * @param ids `[N]`, int32
 * @returns the places of the ids in their sorted order and the sorted ids, `[N]` each
 */
export function sortedOrder(
  backend: WebGPUBackend,
  ids: tf.TensorInfo,
): { order: tf.TensorInfo; sortedIds: tf.TensorInfo } {
  const size = ids.shape[0]!;
  const blocks = Math.ceil(size / blockSize);
  const places: Output = { shape: [size], dtype: 'int32' };
  const outputs = { order: places, sortedIds: places };
  let sorted = dispatch(backend, blockProgram, {
    inputs: { ids },
    outputs,
    params: { size },
    workgroups: spread(blocks),
  });
  for (let length = blockSize; length < size; length *= ways) {
    const merged = dispatch(backend, mergeProgram, {
      inputs: { runOrder: sorted.order, runIds: sorted.sortedIds },
      outputs,
      params: { size, length },
      workgroups: elementWorkgroups(size),
    });
    backend.disposeData(sorted.order.dataId);
    backend.disposeData(sorted.sortedIds.dataId);
    sorted = merged;
  }
  return sorted;
}
