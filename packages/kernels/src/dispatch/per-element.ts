import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { type Range, spread } from './dispatch.js';
import { pieceBytes } from './limits.js';

const lanes = 64;
/** Workgroups from which on a lane takes several elements, and how many it takes at most: a software driver starts a workgroup in about the time of 500 elements. */
const [manyGroups, perLane] = [256, 16];

/**
 * WGSL of an entry point that computes each of `params.size` elements, some of them a lane.
 *
 * @param body WGSL for element `i: u32`, of a function of its own; may return
 */
export const perElement = (body: string): string => /* wgsl */ `
  fn of_element(i: u32) {
    ${body}
  }

  @compute @workgroup_size(${lanes})
  fn main(
    @builtin(workgroup_id) workgroup: vec3u,
    @builtin(num_workgroups) count: vec3u,
    @builtin(local_invocation_index) lane: u32,
  ) {
    let groups = count.x * count.y;
    let run = ${lanes}u * ((params.size - 1u) / (${lanes}u * groups) + 1u);
    let start = (workgroup.y * count.x + workgroup.x) * run;
    if (start >= params.size) { return; }
    let end = start + min(run, params.size - start);
    for (var i = start + lane; i < end; i += ${lanes}u) { of_element(i); }
  }
`;

/** The workgroups of `perElement` for a number of elements. */
export const elementWorkgroups = (count: number): [number, number] =>
  spread(
    Math.max(Math.ceil(count / (lanes * perLane)), Math.min(manyGroups, Math.ceil(count / lanes))),
  );

/** The parts of a tensor of 4-byte values that can be bound one at a time: their first value, their size and their range. */
export function boundParts(
  { device }: WebGPUBackend,
  size: number,
): { first: number; size: number; range: Range }[] {
  const most = pieceBytes(device) / 4;
  return Array.from({ length: Math.ceil(size / most) }, (_, i) => {
    const [first, count] = [i * most, Math.min(most, size - i * most)];
    return { first, size: count, range: { offset: 4 * first, size: 4 * count } };
  });
}
