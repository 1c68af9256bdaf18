import { type BackendName, type BackendReport, currentDevice } from '@headwise/core';
import { type Choices, start } from '@headwise/kernels';
import plain from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url';
import simd from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url';
import { tilingsOn } from '../store/database.js';

/** The backend that runs, and what was missing of better ones. */
export interface EngineReport extends BackendReport {
  missing: string[];
  /** The tilings of attention that are known for its adapter. */
  tilings: Choices;
  /** Threads that compute on wasm. */
  threads: number;
}

/** Starts the asked backend, or the best that there is, with the tilings that were chosen for its adapter before. */
export async function startEngine(prefer?: BackendName): Promise<EngineReport> {
  const wasmPaths = {
    'tfjs-backend-wasm.wasm': absolute(plain),
    'tfjs-backend-wasm-simd.wasm': absolute(simd),
    // Where a server sends the headers that threads need, the file with SIMD is changed as it is loaded.
    'tfjs-backend-wasm-threaded-simd.wasm': absolute(simd),
  };
  const missing: string[] = [];
  const warn = (line: string) => missing.push(line.replace(/^headwise: /, ''));
  let report = await start({ prefer, wasmPaths, warn });
  if (report.backend === 'webgpu' && report.software && prefer === undefined) {
    // On a processor, wasm makes a small step several times faster.
    missing.push('WebGPU is computed in software here, so the lab uses wasm, which is faster');
    report = await start({ prefer: 'wasm', wasmPaths, warn });
  }
  const known = report.adapter === null ? undefined : await tilingsOn(report.adapter);
  if (report.backend === 'webgpu' && known) {
    report = await start({ prefer: 'webgpu', warn, tune: { shapes: [], known } });
  }
  return { ...report, missing };
}

/** Hears of it when the device is lost. */
export function onDeviceLost(tell: (message: string) => void): void {
  const device = currentDevice();
  void device?.gpu.lost.then(() => tell(device.lost!.loss));
}

/** Destroys the device, to see what the lab does then. */
export function loseDevice(): boolean {
  const device = currentDevice();
  device?.gpu.destroy();
  return device !== undefined;
}

function absolute(url: string): string {
  return new URL(url, import.meta.url).href;
}
