import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { type Range, spread } from './dispatch.js';
import { pieceBytes } from './limits.js';

const lanes = 64;

/**
 * WGSL of an entry point with one invocation for each of `params.size` elements.
 *
 * @param body WGSL for element `i: u32`; may return
 */
export const perElement = (body: string): string => /* wgsl */ `
  @compute @workgroup_size(${lanes})
  fn main(
    @builtin(workgroup_id) workgroup: vec3u,
    @builtin(num_workgroups) count: vec3u,
    @builtin(local_invocation_index) lane: u32,
  ) {
    let i = (workgroup.y * count.x + workgroup.x) * ${lanes}u + lane;
    if (i >= params.size) { return; }
    ${body}
  }
`;

/** The workgroups of `perElement` for a number of elements. */
export const elementWorkgroups = (count: number): [number, number] =>
  spread(Math.ceil(count / lanes));

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
