import * as tf from '@tensorflow/tfjs';
import { recordings } from './active.js';
import { type Backend, flush } from './backend.js';
import type { StepBuffers } from './buffers.js';
import { type Command, loggingEncoder } from './commands.js';
import type { Trace } from './trace.js';

/** What is noted of a step while it is recorded. */
export interface Notes {
  buffers: StepBuffers;
  log: Command[];
  trace: Trace;
  /** Data of the tensors that the step made. */
  made: Set<object>;
  /** Data of the tensors that the step used, and the buffers that held them. */
  used: Map<object, GPUBuffer>;
}

/** Makes the backend record what a step does; returns a function that ends that. */
export function hook(backend: Backend, { buffers, log, trace, made, used }: Notes): () => void {
  const { bufferManager, write, makeUniforms, uploadToGPU } = backend;
  const forward = tf.env().getBool('WEBGPU_CPU_FORWARD');
  const hooks: Partial<Backend> = {
    write(...tensor) {
      trace.addValues(tensor[0]);
      const dataId = write.apply(backend, tensor);
      made.add(dataId);
      return dataId;
    },
    makeUniforms(fields) {
      for (const { type, data } of fields) {
        trace.addValues((type === 'float32' ? Float32Array : Int32Array).from(data));
      }
      return makeUniforms.call(backend, fields);
    },
    uploadToGPU(dataId) {
      uploadToGPU.call(backend, dataId);
      used.set(dataId, backend.tensorMap.get(dataId).resource!);
    },
    ensureCommandEncoderReady() {
      backend.commandEncoder ??= loggingEncoder(backend.device.createCommandEncoder(), log);
    },
  };
  flush(backend);
  // Small tensors must not be computed on the CPU, where nothing is recorded.
  tf.env().set('WEBGPU_CPU_FORWARD', false);
  // A backend may have methods of its own in the place of its class's.
  const own = Object.keys(hooks).map((name) => Object.getOwnPropertyDescriptor(backend, name));
  Object.assign(backend, hooks);
  recordings.set(backend, { uniforms: (words) => trace.addValues(words) });
  backend.bufferManager = new Proxy(bufferManager, {
    get: (target, name) =>
      name === 'acquireBuffer' || name === 'releaseBuffer'
        ? buffers[name].bind(buffers)
        : Reflect.get(target, name),
  });
  return () => {
    recordings.delete(backend);
    backend.bufferManager = bufferManager;
    for (const [i, name] of Object.keys(hooks).entries()) {
      Reflect.deleteProperty(backend, name);
      if (own[i]) Object.defineProperty(backend, name, own[i]);
    }
    tf.env().set('WEBGPU_CPU_FORWARD', forward);
  };
}
