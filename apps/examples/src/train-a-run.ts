import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { start } from '@headwise/kernels';
import { parseRunConfig, prepareData, Session } from '@headwise/runs';
import { RunFolder } from '@headwise/runs/node';
import { tokenizerText } from '@headwise/tokenizers/node';

await start({ prefer: 'cpu' });
const config = parseRunConfig({
  model: { dim: 16, heads: 2, layers: 1, position: 'rotary' },
  data: { task: 'reverse', length: 3 },
  training: { steps: 20, learningRate: 0.02, checkpointEvery: 10 },
});
const path = join(await mkdtemp(join(tmpdir(), 'runs-')), 'run');
const storage = await RunFolder.inspect(path, config, { resume: true });
const data = await prepareData(config, { tokenizer: await storage.tokenizer() });
await storage.create(config, { tokenizer: tokenizerText(data.tokenizer) });
const session = await Session.open({ config, data, storage });
await session.begin(); // measures the validation part
while (await session.advance());
console.log(session.step); // 20
session.dispose();
await storage.release();
