import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type {
  InferenceSession,
  InferenceSessionFactory,
  Tensor,
  TensorConstructor,
} from 'onnxruntime-common';

interface Runtime {
  InferenceSession: InferenceSessionFactory;
  Tensor: TensorConstructor;
}

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
  return (await import('onnxruntime-node')) as unknown as Runtime;
}

let web: Promise<Runtime> | undefined;

function webRuntime(): Promise<Runtime> {
  web ??= startWeb();
  return web;
}

async function startWeb(): Promise<Runtime> {
  const runtime = await import('onnxruntime-web/webgpu');
  const { wasm } = runtime.env;
  const path = createRequire(import.meta.url).resolve(
    'onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm',
  );
  wasm.wasmBinary = readFileSync(path) as unknown as ArrayBuffer;
  wasm.numThreads = 1;
  copySharedMemory();
  return runtime as unknown as Runtime;
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
