// Prints the WebGPU adapter that Node sees through Dawn; exits with 1 where there is none.
import { createRequire } from 'node:module';

const { create, globals } = createRequire(
  new URL('../packages/core/package.json', import.meta.url),
)('webgpu');
Object.assign(globalThis, globals);
const adapter = await create([]).requestAdapter();
if (!adapter) process.exit(1);
console.log(adapter.info.description || adapter.info.vendor);
