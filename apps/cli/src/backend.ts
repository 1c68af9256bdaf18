import {
  BackendError,
  type BackendName,
  type BackendReport,
  backendNames,
  fastestBackend,
  isBackendName,
  startBackend,
} from '@headwise/core';
import { registerKernels } from '@headwise/kernels';
import type { Output } from './output.js';

/** Checks the value of `--backend`. */
export function backendOption(value: string | undefined): BackendName | undefined {
  if (value === undefined || isBackendName(value)) return value;
  throw new BackendError(`--backend is '${value}'; expected one of ${backendNames.join(', ')}`);
}

/** Starts a backend and our kernels on it. */
export async function start(out: Output, prefer?: BackendName): Promise<BackendReport> {
  const report = await startBackend({ prefer, warn: out.note });
  if (report.backend === 'webgpu') registerKernels();
  return report;
}

/**
 * Starts the backend for a long piece of work: where WebGPU is only software, the faster of it and wasm.
 *
 * @param probe makes a short piece of the work on the backend in use
 */
export async function startFastest(
  out: Output,
  prefer: BackendName | undefined,
  probe: () => { run: () => Promise<void>; dispose: () => void },
): Promise<BackendReport> {
  const first = await start(out, prefer);
  const forced = prefer ?? process.env.HEADWISE_BACKEND;
  if (forced || first.backend !== 'webgpu' || !first.software) return first;
  const { fastest, ms } = await fastestBackend(['webgpu', 'wasm'], probe, 2);
  const [webgpu, wasm] = [ms.webgpu!, ms.wasm!].map((time) => `${time.toFixed(0)} ms`);
  out.note(
    `headwise: WebGPU is computed in software here (${first.adapter}): a step takes ${webgpu} on it, ${wasm} on wasm; using ${fastest}`,
  );
  return start(out, fastest);
}
