import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { start } from '@headwise/kernels';
import { AdaptedModel, createModel, Lora, quantizeModel } from '@headwise/models';
import { loadAdapter, saveAdapter } from '@headwise/models/node';
import { AdamW, causalLanguageModel, constantRate, train } from '@headwise/training';

await start();
const model = createModel({
  model_type: 'gpt2',
  vocab_size: 100,
  n_positions: 32,
  n_embd: 32,
  n_layer: 2,
  n_head: 4,
  attn_pdrop: 0,
  embd_pdrop: 0,
  resid_pdrop: 0,
});

// Eight-bit weights that stay as they are, and small maps beside them that learn.
const { before, after } = await quantizeModel(model.params, { dtype: 'int8' });
console.log(before > 3 * after); // true
const lora = new Lora(model.params, { rank: 4, alpha: 8, targets: /attn\.(qkv|outProj)$/ });
const network = new AdaptedModel(model.network, lora);

const params = lora.params.named();
const shape = [1, 4] as const;
const batch = { inputs: Int32Array.of(1, 2, 3, 4), targets: Int32Array.of(2, 3, 4, 1), shape };
const losses: number[] = [];
const run = train({
  objective: causalLanguageModel(network),
  params,
  optimizer: new AdamW(params),
  schedule: constantRate(1e-2),
  batches: { at: () => batch },
  steps: 20,
});
for await (const { loss } of run) losses.push(loss);
console.log(losses.at(-1)! < losses[0]!); // true

const folder = await mkdtemp(join(tmpdir(), 'adapter-'));
await saveAdapter(folder, model, lora); // as PEFT's PeftModel.from_pretrained loads it
network.adapters = await loadAdapter(folder, model); // others may take their place at any time
