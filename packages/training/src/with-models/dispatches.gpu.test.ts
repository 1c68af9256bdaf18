import type { LanguageModel } from '@headwise/core';
import { createModel } from '@headwise/models';
import { cases, countsOf, type Recorded, recordedBy } from '@headwise/testing';
import { expect, test } from 'vitest';
import { AdamW, causalLanguageModel, constantRate, train } from '../index.js';

/** Programs that only move data, by the labels of TensorFlow.js. */
const moves = /^(Transpose|Slice|Concat|Pad|Tile|GatherV2|StridedSlice|Reverse)/;

const ofGpt2 = {
  model_type: 'gpt2',
  n_positions: 64,
  n_head: 4,
  embd_pdrop: 0,
  resid_pdrop: 0,
  attn_pdrop: 0,
};
const ofLlama = {
  vocab_size: 101,
  hidden_size: 24,
  intermediate_size: 40,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  max_position_embeddings: 64,
};

/** A small model of each family of decoders. */
const families: Record<string, Record<string, unknown>> = {
  gpt2: { ...ofGpt2, n_layer: 2, n_embd: 24, vocab_size: 101 },
  llama: { ...ofLlama, model_type: 'llama' },
  mistral: { ...ofLlama, model_type: 'mistral', sliding_window: 16 },
  qwen2: { ...ofLlama, model_type: 'qwen2', tie_word_embeddings: true },
  qwen3: { ...ofLlama, model_type: 'qwen3', head_dim: 8 },
  olmo2: { ...ofLlama, model_type: 'olmo2' },
  // One map to queries, keys and values, and norms of some of what it makes.
  'fused maps with norms': {
    ...{ model_type: 'headwise', topology: 'decoder', vocabSize: 101, maxLength: 64 },
    ...{ dim: 24, layers: 2, position: { kind: 'rotary' }, norm: { kind: 'rms' } },
    heads: { count: 4, kv: 2, dim: 6, qkNorm: true, projection: 'fused' },
    feedForward: { kind: 'gated', hidden: 40, activation: 'silu' },
    ...{ block: 'pre-norm', head: { kind: 'language-model', tied: true } },
  },
  bloom: {
    ...{ model_type: 'bloom', vocab_size: 101, hidden_size: 24, n_layer: 2, n_head: 4 },
    ...{ hidden_dropout: 0, attention_dropout: 0 },
  },
  falcon: {
    ...{ model_type: 'falcon', vocab_size: 101, hidden_size: 24, num_hidden_layers: 2 },
    ...{ num_attention_heads: 4, new_decoder_architecture: true, num_kv_heads: 2, bias: false },
    ...{ hidden_dropout: 0, attention_dropout: 0 },
  },
};

/** What a step of `train` records, after some before it: eager, and replayed. */
async function stepsOf(
  configuration: Record<string, unknown>,
  shape: readonly [number, number],
): Promise<Record<'eager' | 'replayed', Recorded>> {
  const { network, params } = createModel(configuration, { seed: 1 });
  const named = params.named();
  const count = shape[0] * shape[1];
  const inputs = Int32Array.from({ length: count }, (_, i) => (i * 37) % 101);
  const batches = { at: () => ({ inputs, targets: inputs, shape }) };
  const step = async (record: boolean) => {
    const optimizer = new AdamW(named);
    const objective = causalLanguageModel(network as LanguageModel);
    const schedule = constantRate(1e-3);
    const steps = train({
      ...{ objective, params: named, optimizer, record, batches, schedule },
      steps: 9,
    });
    for (let i = 0; i < 3; i++) await steps.next();
    const recorded = await recordedBy(() => steps.next());
    await steps.return(undefined);
    optimizer.dispose();
    return recorded;
  };
  try {
    return { eager: await step(false), replayed: await step(true) };
  } finally {
    params.dispose();
  }
}

for (const family of cases(Object.keys(families), (name) =>
  ['gpt2', 'qwen3', 'falcon', 'fused maps with norms'].includes(name),
)) {
  test(`a training step of ${family} moves no data: no transposes, slices or concatenations`, async () => {
    const { eager, replayed } = await stepsOf(families[family]!, [2, 17]);
    expect(eager.programs.filter((label) => moves.test(label))).toEqual([]);
    expect(replayed.programs.filter((label) => moves.test(label))).toEqual([]);
  });
}

// 512 tokens, so that their sort merges runs. How wide the model is changes no count, only how long the driver computes.
for (const width of cases([24, 128], (width) => width === 24)) {
  test(`a training step of GPT-2 with four layers, ${width} wide, takes so many dispatches`, async () => {
    const sizes = { ...ofGpt2, n_layer: 4, n_embd: width, vocab_size: 8 * width };
    const { eager, replayed } = await stepsOf(sizes, [8, 64]);
    expect(eager.programs.length, JSON.stringify(countsOf(eager), null, 2)).toBeLessThanOrEqual(
      106,
    );
    // The share of an accumulated batch is a tensor there.
    const counts = JSON.stringify(countsOf(replayed), null, 2);
    expect(replayed.programs.length, counts).toBeLessThanOrEqual(108);
    // The update of the step before, the step, and what is read.
    expect(replayed.submits).toBe(1);
    expect(eager.submits).toBeLessThanOrEqual(8);
  });
}
