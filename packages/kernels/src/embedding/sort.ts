import type * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { dispatch, type Output, spread } from '../dispatch/dispatch.js';
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

/** Merges sorted blocks: an id moves by the number of ids of other blocks that come before it. */
const mergeProgram = defineProgram({
  label: 'headwise/MergeBlocks',
  inputs: { blockOrder: 'i32', blockIds: 'i32' },
  outputs: { order: 'i32', sortedIds: 'i32' },
  params: { size: 'u32', blocks: 'u32' },
  wgsl: /* wgsl */ `
    @compute @workgroup_size(64)
    fn main(
      @builtin(workgroup_id) workgroup: vec3u,
      @builtin(num_workgroups) count: vec3u,
      @builtin(local_invocation_index) lane: u32,
    ) {
      let i = (workgroup.y * count.x + workgroup.x) * 64u + lane;
      if (i >= params.size) { return; }
      let own = blockIds[i];
      let home = i / ${blockSize}u;
      var place = i % ${blockSize}u;
      for (var b = 0u; b < params.blocks; b++) {
        if (b == home) { continue; }
        // Equal ids of earlier blocks come first.
        let bound = own + select(0, 1, b < home);
        let start = b * ${blockSize}u;
        var low = start;
        var high = min(start + ${blockSize}u, params.size);
        while (low < high) {
          let middle = (low + high) / 2u;
          if (blockIds[middle] < bound) { low = middle + 1u; } else { high = middle; }
        }
        place += low - start;
      }
      order[place] = blockOrder[i];
      sortedIds[place] = own;
    }
  `,
});

/**
 * Sorts ids stably, in one dispatch up to 256 of them and in two beyond.
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
  const sorted = dispatch(backend, blockProgram, {
    inputs: { ids },
    outputs,
    params: { size },
    workgroups: spread(blocks),
  });
  if (blocks === 1) return sorted;
  const merged = dispatch(backend, mergeProgram, {
    inputs: { blockOrder: sorted.order, blockIds: sorted.sortedIds },
    outputs,
    params: { size, blocks },
    workgroups: spread(Math.ceil(size / 64)),
  });
  backend.disposeData(sorted.order.dataId);
  backend.disposeData(sorted.sortedIds.dataId);
  return merged;
}
