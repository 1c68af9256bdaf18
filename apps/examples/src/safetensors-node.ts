import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSafetensors, writeSafetensorsFile } from '@headwise/safetensors/node';

const path = join(await mkdtemp(join(tmpdir(), 'model-')), 'model.safetensors');
await writeSafetensorsFile(path, {
  weight: { dtype: 'F32', shape: [2], data: async () => Float32Array.of(1, 2) },
});
const model = await openSafetensors(path);
console.log((await model.read('weight')).data); // Float32Array(2) [ 1, 2 ]
await model.close();
