import type { BackendOptions, BackendReport } from '@headwise/core';
import { startBackend } from '@headwise/core/internal';
import type { Choices } from '../attention/tilings.js';
import { type AttentionShape, type TuneOptions, tuneAttention } from '../attention/tuner.js';
import { checkMatrixUnits } from '../matrix-product/matrix-units-check.js';
import { startWasmKernels } from '../wasm/start.js';
import { registerKernels } from './register.js';

export interface StartOptions extends BackendOptions {
  /**
   * Measures which tiling of attention is fastest for these shapes on this adapter, and uses it; takes seconds.
   * Default: none is measured. Ignored on other backends than WebGPU, which have one way only.
   */
  tune?: (TuneOptions & { shapes: readonly AttentionShape[] }) | undefined;
}

/** The backend that was started, and how its kernels compute. */
export interface StartReport extends BackendReport {
  /** Products of many rows use the GPU's matrix units. */
  matrixUnits: boolean;
  /** Tilings of attention chosen by `tune`, plain data to pass as its `known` at the next start on this adapter. */
  tilings: Choices;
  /** Threads that compute on wasm; elsewhere 1. */
  threads: number;
}

/**
 * Starts the best backend of this machine, or the one that is named, with all that Headwise has for it.
 *
 * On WebGPU it registers the kernels of this package, and uses the GPU's matrix units where they are offered and
 * multiply exactly; on wasm it registers kernels in WebAssembly, where the engine has SIMD. Calling it again changes the backend, or tunes for other shapes on the one in use.
 *
 * @throws BackendError where the named backend cannot be started, with the reason; where `wasmPaths` lacks a file or
 * names an unknown one
 * @throws InputError for a shape to tune with a size below 1
 */
export async function start({ tune, ...options }: StartOptions = {}): Promise<StartReport> {
  const report = await startBackend(options);
  const threads = report.backend === 'wasm' ? await startWasmKernels(options.threads) : 1;
  if (report.backend !== 'webgpu') return { ...report, matrixUnits: false, tilings: {}, threads };
  registerKernels();
  const matrixUnits = await checkMatrixUnits();
  const tilings = tune ? await tuneAttention(tune.shapes, tune) : {};
  return { ...report, matrixUnits, tilings, threads };
}
