import { spread } from './dispatch.js';

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
