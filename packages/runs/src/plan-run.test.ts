import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { prepareData } from './data.js';
import { parseRunConfig } from './parse-run-config.js';
import { planRun } from './plan-run.js';

const text = 'Call me Ishmael. Some years ago, never mind how long precisely. '.repeat(40);
const run = (more: object) =>
  parseRunConfig({
    model: { dim: 32, heads: 2, layers: 2, context: 64 },
    tokenizer: { kind: 'character' },
    data: { corpus: 'a.txt' },
    training: { steps: 2, batchSize: 8, optimizer: 'muon' },
    ...more,
  });
const planOf = async (config: ReturnType<typeof run>, limit?: number) =>
  planRun(config, (await prepareData(config, { text })).tokenizer, { limit });

test("a run's memory is planned with its own optimizer, and nothing of it stays", async () => {
  const { numTensors } = tf.memory();
  const muon = await planOf(run({}));
  const adamw = await planOf(run({ training: { steps: 2, batchSize: 8 } }));
  expect(muon.weights).toBe(adamw.weights);
  // Muon keeps one average of each matrix, AdamW two.
  expect(adamw.optimizer).toBeGreaterThanOrEqual(2 * adamw.weights);
  expect(muon.optimizer).toBeLessThan(adamw.optimizer);
  expect(tf.memory().numTensors).toBe(numTensors);
});

test('a run over the limit is refused, with the shorter windows that fit, each planned', async () => {
  const { peak } = await planOf(run({}));
  await expect(planOf(run({}), peak / 1.5)).rejects.toThrow(/'model\.context' \d+ .*fits/s);
});

test('an encoder is planned by the tokens that its objective hides', async () => {
  const config = {
    ...{ model_type: 'bert', architectures: ['BertForMaskedLM'], hidden_size: 16 },
    ...{ intermediate_size: 32, num_hidden_layers: 1, num_attention_heads: 2 },
    max_position_embeddings: 64,
  };
  const { logits, peak } = await planOf(
    run({ objective: 'masked-lm', model: { config, context: 64 } }),
  );
  expect(logits).toBeGreaterThan(0);
  expect(peak).toBeGreaterThan(logits);
});
