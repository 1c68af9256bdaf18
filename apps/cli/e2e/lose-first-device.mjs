// Preloaded into the command line: the first WebGPU device is destroyed soon after a file has appeared.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(new URL('../../../packages/core/package.json', import.meta.url));
const { create, globals } = require('webgpu');
Object.assign(globalThis, globals);
const gpu = create([]);
let devices = 0;
const requestAdapter = gpu.requestAdapter.bind(gpu);
const wrapped = {
  async requestAdapter(options) {
    const adapter = await requestAdapter(options);
    if (!adapter) return adapter;
    return new Proxy(adapter, {
      get(target, name) {
        if (name !== 'requestDevice') {
          const value = Reflect.get(target, name, target);
          return typeof value === 'function' ? value.bind(target) : value;
        }
        return async (descriptor) => {
          const device = await target.requestDevice(descriptor);
          if (devices++ === 0) loseSoon(device);
          return device;
        };
      },
    });
  },
};
function loseSoon(device) {
  const timer = setInterval(() => {
    if (!existsSync(process.env.LOSE_WHEN)) return;
    clearInterval(timer);
    setTimeout(() => device.destroy(), 100);
  }, 20);
}

const value = { gpu: wrapped, userAgent: 'node' };
Object.defineProperty(globalThis, 'navigator', { value, configurable: true, writable: true });
