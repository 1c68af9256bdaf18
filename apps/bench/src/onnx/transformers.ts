import { readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { InferenceSession } from 'onnxruntime-common';
import type { Decoder } from '../decoded.js';
import { installed, webRuntime } from './session.js';

/** What is used of transformers.js. */
interface Transformers {
  env: { allowRemoteModels: boolean; localModelPath: string; useWasmCache: boolean };
  Tensor: new (type: 'int64', data: BigInt64Array, dims: readonly number[]) => object;
  AutoModelForCausalLM: { from_pretrained(name: string, options: object): Promise<Model> };
}

interface Model {
  generate(options: object): Promise<unknown>;
  dispose(): Promise<unknown>;
}

/**
 * transformers.js on onnxruntime-web, in Node.js: its `generate` with `onnx/model.onnx` of a folder, on the processor.
 *
 * WebAssembly with SIMD, in one thread, as `webRuntime` has it.
 */
export async function transformersDecoder(folder: string): Promise<Decoder> {
  const { AutoModelForCausalLM, Tensor } = await transformersOnWeb(dirname(folder));
  const model = await AutoModelForCausalLM.from_pretrained(basename(folder), {
    // It knows the devices of those runtimes alone that it loads itself: the provider decides.
    device: 'auto',
    dtype: 'fp32',
    session_options: { executionProviders: ['wasm'] },
  });
  return {
    async decode(prompt, tokens) {
      const ids: number[] = [];
      const times: number[] = [];
      const streamer = {
        put([made]: [bigint[]]) {
          ids.push(...made.map(Number));
          times.push(performance.now());
        },
        end() {},
      };
      await model.generate({
        inputs: new Tensor('int64', BigInt64Array.from(prompt, BigInt), [1, prompt.length]),
        max_new_tokens: tokens,
        do_sample: false,
        streamer,
      });
      // The prompt comes first.
      return { ids: ids.slice(prompt.length), times: times.slice(1) };
    },
    dispose: () => model.dispose(),
  };
}

/** transformers.js with the runtime for browsers instead of the native one that it takes in Node.js. */
async function transformersOnWeb(models: string): Promise<Transformers> {
  const web = await webRuntime();
  // Where there is none, transformers.js would have the runtime load its WebAssembly from a CDN.
  web.env.wasm.wasmPaths ??= {};
  const create = (path: string, options: InferenceSession.SessionOptions) =>
    web.InferenceSession.create(readFileSync(path), options);
  Object.assign(globalThis, {
    [Symbol.for('onnxruntime')]: { ...web, InferenceSession: { create } },
  });
  const transformers = (await (await installed()).transformers()) as Transformers;
  Object.assign(transformers.env, {
    allowRemoteModels: false,
    localModelPath: models,
    useWasmCache: false,
  });
  return transformers;
}
