import { sizeOf } from '@headwise/core/internal';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';

/** The lanes that share one row of a tensor, and how they add up. */
export interface RowGroup {
  lanes: number;
  /** The lanes are exactly one subgroup, and add without memory or barriers. */
  subgroup: boolean;
}

/** Lanes where the size of a subgroup is not known when the shader is compiled. */
const portableLanes = 64;

/** The lanes of a subgroup, where the device has subgroups and all are of one size. */
export function subgroupLanes({
  device,
}: {
  device: Pick<GPUDevice, 'features' | 'adapterInfo'>;
}): number | undefined {
  const { subgroupMinSize: least, subgroupMaxSize: most } = device.adapterInfo ?? {};
  return device.features.has('subgroups') && least === most ? least : undefined;
}

/** One subgroup a row where the device's subgroups have one size, else a workgroup of 64 lanes. */
export function rowGroup(backend: WebGPUBackend): RowGroup {
  const lanes = subgroupLanes(backend);
  return lanes === undefined
    ? { lanes: portableLanes, subgroup: false }
    : { lanes, subgroup: true };
}

/** Tells the variants of a row program apart. */
export const rowGroupKey = ({ lanes, subgroup }: RowGroup): string => `${lanes}/${subgroup}`;

/** The extensions that `rowSum` needs. */
export const rowGroupExtensions = ({ subgroup }: RowGroup): string[] =>
  subgroup ? ['subgroups'] : [];

/**
 * WGSL of an entry point in which a group of lanes computes each row; a workgroup a row, as `spread` lays them out.
 *
 * @param lanes of a group
 * @param rows WGSL of the number of rows
 * @param body WGSL for row `row: u32` and lane `lane: u32`
 */
export const perRow = (lanes: number, rows: string, body: string): string => /* wgsl */ `
  @compute @workgroup_size(${lanes})
  fn main(
    @builtin(workgroup_id) workgroup: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) lane: u32,
  ) {
    let row = workgroup.y * groups.x + workgroup.x;
    if (row >= ${rows}) { return; }
    ${body}
  }
`;

/** WGSL of `row_sum(value, lane)`: the sum over the lanes of a row, known to all of them. */
export const rowSum = (group: RowGroup): string =>
  reduction(group, 'row_sum', 'subgroupAdd', (a, b) => `${a} + ${b}`);

/** WGSL of `row_max(value, lane)`: the largest value of a row's lanes, known to all of them. */
export const rowMax = (group: RowGroup): string =>
  reduction(group, 'row_max', 'subgroupMax', (a, b) => `max(${a}, ${b})`);

function reduction(
  { lanes, subgroup }: RowGroup,
  name: string,
  ofSubgroup: string,
  combined: (a: string, b: string) => string,
): string {
  if (subgroup) {
    return /* wgsl */ `
      fn ${name}(value: f32, lane: u32) -> f32 { return ${ofSubgroup}(value); }
    `;
  }
  return /* wgsl */ `
    var<workgroup> ${name}_partial: array<f32, ${lanes}>;
    fn ${name}(value: f32, lane: u32) -> f32 {
      // The barrier keeps a former reduction's readers ahead of this one's writers.
      workgroupBarrier();
      ${name}_partial[lane] = value;
      workgroupBarrier();
      for (var half = ${lanes / 2}u; half > 0u; half = half / 2u) {
        if (lane < half) {
          ${name}_partial[lane] = ${combined(`${name}_partial[lane]`, `${name}_partial[lane + half]`)};
        }
        workgroupBarrier();
      }
      return ${name}_partial[0];
    }
  `;
}

/** Number of rows, and their width, of a tensor whose rows are its last axis. */
export function rowsOf(shape: readonly number[]): { rows: number; width: number } {
  const width = shape.at(-1) ?? 1;
  return { rows: sizeOf(shape) / width, width };
}
