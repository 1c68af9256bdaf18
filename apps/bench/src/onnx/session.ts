import { readFileSync } from 'node:fs';
import type {
  Env,
  InferenceSession,
  InferenceSessionFactory,
  Tensor,
  TensorConstructor,
} from 'onnxruntime-common';
import { peersFolder } from '../peers.js';

interface Runtime {
  InferenceSession: InferenceSessionFactory;
  Tensor: TensorConstructor;
}

type WebRuntime = Runtime & { env: Env };

/** What `tools/peers/onnxruntime.mjs` gives. */
interface Installed {
  node(): Promise<Runtime>;
  web(): Promise<WebRuntime>;
  wasmPath(): string;
  transformers(): Promise<object>;
}

/** The packages in `tools/peers`, once they are installed. */
export const installed = (): Promise<Installed> =>
  import(new URL('onnxruntime.mjs', peersFolder).href);

/**
 * A run of a model of inputs `q k v` and output `y` on onnxruntime's WebGPU provider.
 *
 * @param where `node`: the native package, with a WebGPU of its own; `web`: the package for browsers, on Node's
 */
export async function onnxSession(
  where: 'node' | 'web',
  model: Uint8Array,
  inputs: readonly Float32Array[],
  shape: readonly number[],
): Promise<() => Promise<Float32Array>> {
  const { InferenceSession, Tensor } = await (where === 'node' ? nodeRuntime() : webRuntime());
  const session: InferenceSession = await InferenceSession.create(model, {
    executionProviders: ['webgpu'],
  });
  const feeds: Record<string, Tensor> = Object.fromEntries(
    ['q', 'k', 'v'].map((name, i) => [name, new Tensor('float32', inputs[i]!, shape)]),
  );
  return async () => (await session.run(feeds)).y!.data as Float32Array;
}

async function nodeRuntime(): Promise<Runtime> {
  return (await installed()).node();
}

let web: Promise<WebRuntime> | undefined;

/** The package for browsers, on Node's WebGPU and one thread of WebAssembly. */
export function webRuntime(): Promise<WebRuntime> {
  web ??= startWeb();
  return web;
}

async function startWeb(): Promise<WebRuntime> {
  const { web, wasmPath } = await installed();
  const runtime = await web();
  const { wasm } = runtime.env;
  wasm.wasmBinary = readFileSync(wasmPath()) as unknown as ArrayBuffer;
  wasm.numThreads = 1;
  copySharedMemory();
  return runtime;
}

/** Dawn in Node takes no view of shared memory, which the memory of wasm with threads is. */
function copySharedMemory(): void {
  const { prototype } = GPUQueue;
  const { writeBuffer } = prototype;
  prototype.writeBuffer = function (buffer, offset, data, start = 0, size) {
    const view = data as Uint8Array<ArrayBuffer>;
    if (!ArrayBuffer.isView(data) || (view.buffer as unknown) instanceof ArrayBuffer) {
      return writeBuffer.call(this, buffer, offset, view, start, size);
    }
    const part = view.subarray(start, size === undefined ? undefined : start + size);
    return writeBuffer.call(this, buffer, offset, part.slice());
  };
}
