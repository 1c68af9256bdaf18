import {
  BackendError,
  type BackendName,
  type BackendReport,
  backendNames,
  isBackendName,
} from '@headwise/core';
import { fastestBackend, start as startBest } from '@headwise/kernels';
import type { Output } from './output.js';

/** Checks the value of `--backend`. */
export function backendOption(value: string | undefined): BackendName | undefined {
  if (value === undefined || isBackendName(value)) return value;
  throw new BackendError(`--backend is '${value}'; expected one of ${backendNames.join(', ')}`);
}

/** Starts the best backend, or the named one, and says what is missing. */
export function start(out: Output, prefer?: BackendName): Promise<BackendReport> {
  return startBest({ prefer, warn: out.note });
}

/**
 * Goes on with the fastest backend for a long piece of work: where WebGPU is only software, the faster of it and wasm.
 *
 * @param first what was started, which stays where the caller named it
 * @param probe makes a short piece of the work on the backend in use
 */
export async function fastestFor(
  out: Output,
  { first, prefer }: { first: BackendReport; prefer: BackendName | undefined },
  probe: () => { run: () => Promise<void>; dispose: () => void },
): Promise<BackendReport> {
  const forced = prefer ?? process.env.HEADWISE_BACKEND;
  if (forced || first.backend !== 'webgpu' || !first.software) return first;
  const { fastest, ms } = await fastestBackend(['webgpu', 'wasm'], probe, 2);
  const [webgpu, wasm] = [ms.webgpu!, ms.wasm!].map((time) => `${time.toFixed(0)} ms`);
  out.note(
    `headwise: WebGPU is computed in software here (${first.adapter}): a step takes ${webgpu} on it, ${wasm} on wasm; using ${fastest}`,
  );
  return start(out, fastest);
}
