import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { termsOf } from './loss-terms.js';
import { type MemoryPlan, type PlanOptions, planMemory } from './plan-memory.js';
import { defaultObjective } from './planned-objective.js';

const sizes = { vocab_size: 50_257, n_embd: 96, n_head: 4 };
const dropout = { embd_pdrop: 0, resid_pdrop: 0, attn_pdrop: 0 };
const gpt2 = (layers: number) =>
  ({ model_type: 'gpt2', n_layer: layers, ...sizes, ...dropout }) as const;
const batch = { rows: 2, tokens: 256 };
const encoder = {
  ...{ model_type: 'bert', vocab_size: 4096, hidden_size: 16, num_hidden_layers: 1 },
  ...{ num_attention_heads: 2, intermediate_size: 32 },
};

test('a plan leaves the backend as it was, and its parts are those of the model', async () => {
  const before = { backend: tf.getBackend(), tensors: tf.memory().numTensors };
  const plan = await planMemory(gpt2(2), batch);
  expect({ backend: tf.getBackend(), tensors: tf.memory().numTensors }).toEqual(before);
  const block = 12 * 96 * 96 + 13 * 96;
  const parameters = (50_257 + 1024) * 96 + 2 * block + 2 * 96;
  expect(plan.weights).toBe(4 * parameters);
  expect(plan.gradients).toBe(4 * parameters);
  // Two moments, and a few numbers.
  expect(plan.optimizer - 8 * parameters).toBeLessThan(1000);
  expect(plan.optimizer).toBeGreaterThanOrEqual(8 * parameters);
  expect(plan.logits).toBeGreaterThan(0);
  expect(plan.logits).toBeLessThan(4 * 2 * 256 * 50_257);
  expect(plan.peak).toBeGreaterThan(
    plan.weights + plan.gradients + plan.optimizer + plan.activations,
  );
});

test('each part follows what it depends on', async () => {
  const kept = ({ activations }: MemoryPlan) => activations;
  const plan = await planMemory(gpt2(2), batch);
  const wider = await planMemory(gpt2(2), { ...batch, rows: 4 });
  const deeper = await planMemory(gpt2(3), batch);
  const deepest = await planMemory(gpt2(4), batch);
  expect(wider.weights).toBe(plan.weights);
  const widest = await planMemory(gpt2(2), { ...batch, rows: 6 });
  expect((kept(widest) - kept(wider)) / (kept(wider) - kept(plan))).toBeCloseTo(1, 2);
  expect(kept(deepest) - kept(deeper)).toBe(kept(deeper) - kept(plan));
  // The memory of a step is that of one of its batches, and of the sum of gradients.
  const accumulated = await planMemory(gpt2(2), batch, { accumulate: 4 });
  expect(kept(accumulated)).toBe(kept(plan));
  expect(accumulated.peak - plan.peak).toBeLessThan(2 * plan.gradients);
});

test('frozen parameters have no gradients, moments and averages, and what is below them no activations', async () => {
  const plan = await planMemory(gpt2(2), batch, { ema: true });
  const head = ['tokens', 'positions', 'blocks.0'];
  const frozen = await planMemory(gpt2(2), batch, { ema: true, freeze: head });
  const block = 4 * (12 * 96 * 96 + 13 * 96);
  const trained = block + 4 * 2 * 96;
  expect(plan.averages).toBe(plan.weights);
  expect(frozen.weights).toBe(plan.weights);
  expect(frozen.gradients).toBe(trained);
  expect(frozen.averages).toBe(trained);
  expect(frozen.optimizer - 2 * trained).toBeLessThan(1000);
  const without = await planMemory(gpt2(2), batch);
  expect(plan.peak - without.peak).toBeGreaterThanOrEqual(plan.averages);
  const logits = await planMemory(gpt2(1), batch);
  expect(frozen.activations - logits.activations).toBeLessThan(
    0.1 * (plan.activations - logits.activations),
  );
});

test('a step is planned as it is trained: recorded, unless its loss is from elsewhere, its objective has terms or nothing is to be recorded', async () => {
  const configuration = { ...gpt2(1), vocab_size: 500 };
  const recorded = async (own: boolean, options: PlanOptions = {}) => {
    let losses = 0;
    const objective: PlanOptions['objective'] = (network, sizes) => {
      const made = defaultObjective(network, sizes, configuration);
      const { arrays, loss } = made.objective.tensorLoss!;
      const counted: typeof loss = (...given) => {
        losses++;
        return loss(...given);
      };
      const terms = own ? termsOf(made.objective) : undefined;
      return {
        ...made,
        objective: { ...made.objective, terms, tensorLoss: { arrays, loss: counted } },
      };
    };
    await planMemory(configuration, { rows: 1, tokens: 8 }, { ...options, objective });
    return losses;
  };
  expect(await recorded(false, { record: true })).toBe(1);
  expect(await recorded(false)).toBe(0);
  expect(await recorded(true, { record: true })).toBe(0);
  expect(await recorded(false, { record: false })).toBe(0);
});

test('computing blocks again leaves a quarter of the activations of twelve layers', async () => {
  const small = { ...gpt2(12), vocab_size: 500 };
  const plan = await planMemory(small, batch);
  const checkpointed = await planMemory(small, batch, { checkpoint: true });
  expect(checkpointed.activations).toBeLessThan(plan.activations / 4);
  expect(plan.peak - checkpointed.peak).toBeGreaterThan(0.5 * plan.activations);
});

test('an adapter over half a billion packed parameters is trained within two gigabytes', async () => {
  // Qwen2.5-0.5B's sizes.
  const half = {
    model_type: 'qwen2',
    vocab_size: 151_936,
    hidden_size: 896,
    num_hidden_layers: 24,
    num_attention_heads: 14,
    num_key_value_heads: 2,
    intermediate_size: 4864,
    tie_word_embeddings: true,
  } as const;
  const { peak, weights } = await planMemory(
    half,
    { rows: 1, tokens: 512 },
    {
      dtype: 'int8',
      checkpoint: true,
      lora: { rank: 16, targets: /(qProj|kProj|vProj|outProj|gate|up|down)$/ },
      limits: { maxBufferSize: 2 ** 31, maxStorageBufferBindingSize: 2 ** 31 },
    },
  );
  expect(weights).toBeGreaterThan(494e6);
  expect(peak).toBeLessThan(2e9);
});

test('what cannot be trained, and what no buffer of the device can hold, is refused', async () => {
  const before = tf.memory().numTensors;
  const plan = (options: object, sizes = batch) => planMemory(gpt2(2), sizes, options);
  await expect(plan({}, { rows: 0, tokens: 4 })).rejects.toThrow(
    'planMemory: rows is 0; expected a whole number of at least 1',
  );
  await expect(plan({ accumulate: 1.5 })).rejects.toThrow('accumulate is 1.5');
  await expect(plan({ freeze: /./ })).rejects.toThrow('freeze: all 28 parameters are frozen');
  await expect(plan({ dtype: 'int8' })).rejects.toThrow('are packed');
  await expect(plan({ limits: { maxBufferSize: 2 ** 20 } })).rejects.toThrow(
    'the device makes buffers of at most 1048576',
  );
  expect(tf.memory().numTensors).toBe(before);
});

for (const [name, configuration] of Object.entries({
  t5: { model_type: 't5', d_model: 64, d_kv: 32, d_ff: 64, num_layers: 1, num_heads: 2 },
  'bart, whose head has a bias': {
    model_type: 'bart',
    d_model: 64,
    encoder_layers: 1,
    decoder_layers: 1,
    encoder_attention_heads: 2,
    decoder_attention_heads: 2,
    encoder_ffn_dim: 64,
    decoder_ffn_dim: 64,
  },
})) {
  test(`the logits of an encoder-decoder never exist all at once: ${name}`, async () => {
    const [rows, tokens, vocab_size] = [8, 256, 30_000];
    const plan = await planMemory({ ...configuration, vocab_size }, { rows, tokens });
    expect(plan.logits).toBeGreaterThan(0);
    expect(plan.logits).toBeLessThan(0.2 * 4 * rows * tokens * vocab_size);
  });
}

test('an encoder is planned for what its head learns, and one without a head is refused', async () => {
  const peaks: Record<string, number> = {};
  for (const head of [
    'MaskedLM',
    'PreTraining',
    'NextSentencePrediction',
    'SequenceClassification',
    'TokenClassification',
    'QuestionAnswering',
  ]) {
    const bert = { ...encoder, architectures: [`BertFor${head}`] };
    const plan = await planMemory(bert, { rows: 2, tokens: 32 });
    peaks[head] = plan.peak;
    expect(plan.activations, head).toBeGreaterThan(0);
  }
  expect(peaks.MaskedLM).toBeGreaterThan(peaks.TokenClassification!);
  await expect(
    planMemory({ ...encoder, architectures: ['BertModel'] }, { rows: 2, tokens: 32 }),
  ).rejects.toThrow(
    "planMemory: the model's head is 'none', which learns nothing by itself; expected options.objective",
  );
});
