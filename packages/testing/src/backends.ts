import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe } from 'vitest';

/**
 * Runs tests once on each backend of the project: WebGPU in the GPU projects, cpu and wasm else.
 *
 * Used in files named `x.backends.test.ts`, which all projects include.
 */
export function describeBackends(name: string, tests: (backend: string) => void): void {
  for (const backend of tf.getBackend() === 'webgpu' ? ['webgpu'] : ['cpu', 'wasm']) {
    describeOn(backend, `${name} on ${backend}`, () => tests(backend));
  }
}

/** Runs tests once on the backend of the project that has kernels of ours: WebGPU in the GPU projects, wasm else. */
export function describeKernels(name: string, tests: (backend: string) => void): void {
  const backend = tf.getBackend() === 'webgpu' ? 'webgpu' : 'wasm';
  describeOn(backend, `${name} on ${backend}`, () => tests(backend));
}

/** Runs tests on one backend, whichever the project has. */
export function describeOn(backend: string, name: string, tests: () => void): void {
  const home = tf.getBackend();
  describe(name, () => {
    beforeAll(async () => {
      if (backend === 'wasm') await import('@tensorflow/tfjs-backend-wasm');
      await tf.setBackend(backend);
    });
    afterAll(async () => {
      await tf.setBackend(home);
    });
    tests();
  });
}
