import { expect, test } from 'vitest';
import { create, globals } from 'webgpu';
import { startBackend } from './start.js';

test('experimental matrix units are asked for where the adapter offers them', async (context) => {
  Object.assign(globalThis, globals);
  // Validates and computes nothing, and offers all that Dawn knows.
  const gpu = create(['backend=null', 'enable-dawn-features=allow_unsafe_apis']);
  Object.defineProperty(globalThis, 'navigator', { value: { gpu, userAgent: 'node' } });
  const feature = 'chromium-experimental-subgroup-matrix';
  const adapter = await gpu.requestAdapter();
  if (!adapter?.features.has(feature as GPUFeatureName)) {
    const missing = `Dawn's null backend offers no ${feature}`;
    console.warn(`skipped: ${missing}`);
    context.skip(missing);
  }
  const { features } = await startBackend({ prefer: 'webgpu' });
  expect(features).toContain(feature);
});
