import * as tf from '@tensorflow/tfjs';
import { machineThreads, sharedBinary } from '#threads';
import { BackendError } from '../errors.js';
import { startDevice } from './device.js';

/** The backends, fastest first on a machine with a GPU. */
export const backendNames = ['webgpu', 'wasm', 'cpu'] as const;
export type BackendName = (typeof backendNames)[number];

/** The `.wasm` files of TensorFlow.js's wasm backend; it loads the fastest one that the machine supports. */
export const wasmFiles = [
  'tfjs-backend-wasm.wasm',
  'tfjs-backend-wasm-simd.wasm',
  'tfjs-backend-wasm-threaded-simd.wasm',
] as const;
export type WasmFile = (typeof wasmFiles)[number];

/** The backend that was started, and its adapter. */
export interface BackendReport {
  backend: BackendName;
  /** The adapter in the driver's words; null where no GPU is used. */
  adapter: string | null;
  vendor: string | null;
  /** The adapter computes on the CPU (lavapipe, SwiftShader), or there is none. */
  software: boolean;
  /** WebGPU features in use, e.g. `shader-f16`. */
  features: string[];
  /** WebGPU limits in use, in the specification's units. */
  limits: Record<string, number>;
}

export interface BackendOptions {
  /** This backend or an error; default the environment's `HEADWISE_BACKEND`, else the first that starts. */
  prefer?: BackendName | undefined;
  /**
   * Where TensorFlow.js's `.wasm` files lie: a folder, or the address of each by its name, as a bundler hashes them;
   * needed for wasm in a browser.
   */
  wasmPaths?: string | Partial<Record<WasmFile, string>> | undefined;
  /**
   * Threads that compute on wasm, in Node and in pages that are cross-origin isolated; default the environment's
   * `HEADWISE_THREADS`, else as many as run at once, 8 at most.
   */
  threads?: number | undefined;
  /** Told, in one line each, what was missing; default standard error. */
  warn?: ((line: string) => void) | undefined;
}

/**
 * Starts the best backend of this machine, without kernels of ours: WebGPU, else wasm, else cpu.
 *
 * @throws BackendError where a preferred backend cannot be started, it says why; where `wasmPaths` lacks a file or
 * names an unknown one
 */
export async function startBackend(options: BackendOptions = {}): Promise<BackendReport> {
  checkWasmPaths(options.wasmPaths);
  await wantedThreads(options.threads);
  const warn = options.warn ?? ((line) => console.warn(line));
  const prefer = checked('prefer', options.prefer) ?? checked('HEADWISE_BACKEND', environment());
  // Silences TensorFlow.js's advice to install its native bindings.
  tf.env().set('PROD', true);
  for (const name of prefer ? [prefer] : backendNames) {
    const started = await start(name, options);
    if (!('missing' in started)) return started;
    if (prefer) throw new BackendError(`backend '${name}' cannot be started: ${started.missing}`);
    warn(`headwise: ${name} is not available: ${started.missing}`);
  }
  throw new BackendError(`none of the backends ${backendNames.join(', ')} can be started`);
}

/**
 * The number of threads that are asked for.
 *
 * @throws BackendError unless it is a whole number of at least 1
 */
export async function wantedThreads(given: number | undefined): Promise<number> {
  const text = globalThis.process?.env?.HEADWISE_THREADS || undefined;
  const asked = given ?? (text === undefined ? undefined : Number(text));
  if (asked === undefined) return Math.min(await machineThreads(), mostThreads);
  if (!(Number.isInteger(asked) && asked >= 1)) {
    const [what, value] = given === undefined ? ['HEADWISE_THREADS', text] : ['threads', given];
    throw new BackendError(`${what} is ${value}; expected a whole number of at least 1`);
  }
  return asked;
}

/** Threads by default at most: kernels of small models gain nothing by more. */
const mostThreads = 8;

/** Whether a text names a backend. */
export function isBackendName(text: string): text is BackendName {
  return (backendNames as readonly string[]).includes(text);
}

function environment(): string | undefined {
  return globalThis.process?.env?.HEADWISE_BACKEND || undefined;
}

function checked(what: string, value: string | undefined): BackendName | undefined {
  if (value === undefined || isBackendName(value)) return value;
  throw new BackendError(`${what} is '${value}'; expected one of ${backendNames.join(', ')}`);
}

async function start(
  name: BackendName,
  options: BackendOptions,
): Promise<BackendReport | { missing: string }> {
  if (name === 'webgpu') {
    const device = await startDevice();
    if ('missing' in device) return device;
    await use('webgpu');
    return {
      backend: 'webgpu',
      adapter: device.info.description || device.info.device || device.info.vendor,
      vendor: device.info.vendor,
      software: device.software,
      features: [...device.gpu.features].sort(),
      limits: device.limits,
    };
  }
  if (name === 'wasm') {
    const threads = await wantedThreads(options.threads);
    const missing = await startWasm(options.wasmPaths, threads > 1);
    if (missing) return { missing };
  } else {
    await use(name);
  }
  return { backend: name, adapter: null, vendor: null, software: true, features: [], limits: {} };
}

async function use(name: BackendName): Promise<void> {
  if (!(await tf.setBackend(name))) {
    throw new BackendError(`TensorFlow.js could not initialise its backend '${name}'`);
  }
  await tf.ready();
}

/** @param shared its memory is to be one that threads share, where that can be had */
async function startWasm(
  paths: BackendOptions['wasmPaths'],
  shared: boolean,
): Promise<string | undefined> {
  let setWasmPaths: (paths: string | Record<WasmFile, string>, fetched?: boolean) => void;
  try {
    ({ setWasmPaths } = await import('@tensorflow/tfjs-backend-wasm'));
  } catch (error) {
    const [reason] = (error as Error).message.split('\n');
    return `the package '@tensorflow/tfjs-backend-wasm' cannot be loaded (${reason}); install it: npm install @tensorflow/tfjs-backend-wasm`;
  }
  const hasSimd = await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT');
  const binary = shared && hasSimd ? await sharedBinary(paths) : undefined;
  if (binary) {
    // Its own threads would start workers from blobs.
    tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
    const address = 'headwise:shared-memory.wasm';
    const files = Object.fromEntries(wasmFiles.map((name) => [name, address]));
    setWasmPaths(files as Record<WasmFile, string>, true);
    return answering(address, binary, () => useWasm(paths));
  }
  if (typeof paths === 'string') setWasmPaths(/[/\\]$/.test(paths) ? paths : `${paths}/`);
  else if (paths !== undefined) setWasmPaths(paths as Record<WasmFile, string>);
  return useWasm(paths);
}

/** Runs with bytes in place of what TensorFlow.js would fetch from an address: a policy may forbid `data:` addresses. */
async function answering<T>(
  address: string,
  bytes: Uint8Array<ArrayBuffer>,
  run: () => Promise<T>,
): Promise<T> {
  const { platform } = tf.env();
  const own = platform.fetch;
  platform.fetch = (path, init) =>
    path === address ? Promise.resolve(new Response(bytes)) : own.call(platform, path, init);
  try {
    return await run();
  } finally {
    platform.fetch = own;
  }
}

async function useWasm(paths: BackendOptions['wasmPaths']): Promise<string | undefined> {
  const before = tf.getBackend();
  if (await tf.setBackend('wasm').catch(() => false)) {
    await tf.ready();
    return undefined;
  }
  // TensorFlow.js stays with the backend that failed.
  if (before) await tf.setBackend(before);
  const given =
    typeof paths === 'string'
      ? `no .wasm file of TensorFlow.js at wasmPaths '${paths}'`
      : paths
        ? `no .wasm file of TensorFlow.js at wasmPaths ${wasmFiles.map((name) => `'${paths[name]}'`).join(', ')}`
        : 'its .wasm files were not found; say where they lie: wasmPaths';
  return `${given}; expected the folder of ${wasmFiles.join(', ')}, or an object with the address of each`;
}

function checkWasmPaths(paths: BackendOptions['wasmPaths']): void {
  if (paths === undefined || typeof paths === 'string') return;
  const [known, given] = [wasmFiles as readonly string[], Object.keys(paths)];
  const missing = known.filter((name) => typeof paths[name as WasmFile] !== 'string');
  const unknown = given.filter((name) => !known.includes(name));
  if (missing.length === 0 && unknown.length === 0) return;
  throw new BackendError(
    `wasmPaths names ${given.join(', ') || 'no file'}; expected a folder, or the addresses of ${known.join(', ')}`,
  );
}
