import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { rowGroup } from '../dispatch/row-group.js';
import { direct, shuffle } from './lanes/index.js';
import type { Tiling } from './programs.js';

/** The tilings that a device can run, the likeliest first. */
export function tilingsOf(backend: WebGPUBackend): Tiling[] {
  const { lanes, subgroup } = rowGroup(backend);
  return [...(subgroup ? [shuffle(lanes)] : []), direct];
}

let forced: Tiling | undefined;

/** Makes every call use one tiling, for tests and benches; undefined ends that. */
export function forceTiling(tiling: Tiling | undefined): void {
  forced = tiling;
}

/** The tiling to use. */
export function tilingOf(backend: WebGPUBackend): Tiling {
  return forced ?? tilingsOf(backend)[0]!;
}
