import type { LanguageModel } from '@headwise/core';
import { AdaptedModel, createModel, Lora } from '@headwise/models';
import type { Workload } from '@headwise/testing';
import { AdamW, causalLanguageModel, constantRate, planMemory, train } from '@headwise/training';

/** A tenth of half a billion parameters, in the proportions of Qwen2 0.5B. */
const configuration = {
  model_type: 'qwen2',
  vocab_size: 32_000,
  hidden_size: 512,
  num_hidden_layers: 12,
  num_attention_heads: 8,
  num_key_value_heads: 2,
  intermediate_size: 1472,
  max_position_embeddings: 512,
  tie_word_embeddings: true,
} as const;
const tokens = 512;
const lora = { rank: 16, targets: /(?:^|\.)blocks\.\d+\./ };
const steps = 1;

/** Steps of QLoRA: adapters over frozen int4 weights, blocks computed again. Its time includes making the model. */
async function trainAdapter(): Promise<object> {
  const model = createModel(configuration, { seed: 1, dtype: 'int4' });
  const adapter = new Lora(model.params, lora);
  const network = new AdaptedModel(model.network as LanguageModel, adapter) as LanguageModel;
  const params = adapter.params.named();
  const optimizer = new AdamW(params);
  const id = (i: number) => (i * 7919) % configuration.vocab_size;
  const inputs = Int32Array.from({ length: tokens }, (_, i) => id(i));
  const targets = Int32Array.from({ length: tokens }, (_, i) => id(i + 1));
  const run = train({
    ...{ objective: causalLanguageModel(network), params, optimizer, steps },
    batches: { at: () => ({ inputs, targets, shape: [1, tokens] as const }) },
    schedule: constantRate(1e-3),
    checkpoint: true,
  });
  for await (const { step, loss, ms } of run) {
    console.log(`  step ${step}: loss ${loss.toFixed(4)}, ${(ms / 1000).toFixed(1)} s`);
  }
  optimizer.dispose();
  adapter.params.dispose();
  model.params.dispose();
  return {};
}

export const workloads: Workload[] = [
  {
    name: 'training/qlora/50M/T512',
    backends: ['webgpu'],
    async prepare() {
      const options = { dtype: 'int4', lora, checkpoint: true } as const;
      const { peak } = await planMemory(configuration, { rows: 1, tokens }, options);
      console.log(`  planned peak ${(peak / 2 ** 20).toFixed(1)} MiB`);
      return { ours: trainAdapter, peers: {} };
    },
  },
];
