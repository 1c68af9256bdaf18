import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { rowGroup } from '../dispatch/row-group.js';
import { direct, shuffle } from './lanes/index.js';
import type { Tiling } from './programs.js';

/** The tilings that a device can run for heads of a width, the likeliest to be fast first. */
export function tilingsOf(backend: WebGPUBackend, width: number): Tiling[] {
  const memory = backend.device.limits.maxComputeWorkgroupStorageSize;
  const { lanes, subgroup } = rowGroup(backend);
  const all = [...(subgroup ? [shuffle({ subgroup: lanes, memory })] : []), direct(memory)];
  return all.filter((tiling) => tiling.fits(width));
}

let forced: string | undefined;

/** Makes every call use the tiling of this key where it fits, for tests and benches; undefined ends that. */
export function forceTiling(key: string | undefined): void {
  forced = key;
}

/** The tiling to use. */
export function tilingOf(backend: WebGPUBackend, width: number): Tiling {
  const tilings = tilingsOf(backend, width);
  return tilings.find(({ key }) => key === forced) ?? tilings[0]!;
}
