import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { ProductForm, Tiling } from './form.js';
import { registerTiling } from './registers.js';
import { sharedTiling } from './shared.js';
import { shuffleTiling } from './shuffle.js';

/** The lanes of a subgroup, where that is one number. */
export function subgroupLanes({ device }: WebGPUBackend): number | undefined {
  const { subgroupMinSize: least, subgroupMaxSize: most } = device.adapterInfo ?? {};
  return device.features.has('subgroups') && least === most ? least : undefined;
}

/** The widest subgroup that is a CPU's vector register, rather than a GPU's. */
const vectorLanes = 16;

/** The tiling for a device, by what it offers; this folder's README has the measurements. */
export function tilingFor(backend: WebGPUBackend, form: ProductForm): Tiling {
  const lanes = subgroupLanes(backend);
  if (lanes === 8) return shuffleTiling(lanes, form);
  if (lanes !== undefined && lanes <= vectorLanes) return registerTiling(form);
  return sharedTiling(form);
}
