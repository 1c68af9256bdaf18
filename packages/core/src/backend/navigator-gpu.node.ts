export { pollWithPauses } from './polling.node.js';

/** WebGPU in Node: Dawn, from the optional package `webgpu`, put where TensorFlow.js looks for it. */
export async function navigatorGpu(): Promise<GPU | { missing: string }> {
  if (globalThis.navigator?.gpu) return globalThis.navigator.gpu;
  const dawn = await import('webgpu').catch((error: Error) => error);
  if (dawn instanceof Error) {
    return {
      missing: `the package 'webgpu' cannot be loaded (${dawn.message.split('\n')[0]}); install it: npm install webgpu`,
    };
  }
  Object.assign(globalThis, dawn.globals);
  const gpu = dawn.create([]);
  if (globalThis.navigator) {
    Object.defineProperty(globalThis.navigator, 'gpu', { value: gpu, configurable: true });
  } else {
    Object.defineProperty(globalThis, 'navigator', {
      value: { gpu, userAgent: 'node' },
      configurable: true,
      writable: true,
    });
  }
  return gpu;
}
