import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { LanguageModel } from '@headwise/core';
import { KeyValueCache, StepLoop, type StepPlan, stepPlanOf } from '@headwise/decoding';
import { streamGguf } from '@headwise/gguf';
import { checkedSampling } from '@headwise/kernels/internal';
import { cases, expectClose, gaussian } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { ggufModel } from './gguf/gguf-model.js';
import { createModel, languageModel } from './model.js';
import { loadModel } from './node.js';
import type { WeightDtype } from './weight-options.js';

const goldens = fileURLToPath(new URL('../../parity/goldens', import.meta.url));
const isDecoder = (name: string) => {
  const config = JSON.parse(readFileSync(`${goldens}/${name}/config.json`, 'utf8'));
  const [kind] = config.architectures;
  // A decoder that reads an encoder's output takes no prompt alone.
  return !config.add_cross_attention && /ForCausalLM$|LMHeadModel$/.test(kind);
};
const names = readdirSync(goldens, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && isDecoder(entry.name))
  .map(({ name }) => name);

/** Decoders with a part that has no fused form: their layers run. */
const layersOnly = ['transformer-xl'];

/** Every decoder in float32; with a tied head and with one of its own also packed, whose shaders take seconds to compile. */
const forms: (readonly [name: string, dtype: WeightDtype])[] = [
  ...names.map((name) => [name, 'f32'] as const),
  ...['qwen2', 'llama', 'gpt2', 'mixtral'].flatMap((name) =>
    (['int8', 'int4', 'f16'] as const).map((dtype) => [name, dtype] as const),
  ),
];
/** One of each kind of block, norm, position and projection. */
const representatives = [
  'bloom-post-residual',
  'falcon-40b',
  'gemma3-text',
  'gpt2',
  'llama-gqa-llama3',
  'mistral',
  'olmo2',
  'qwen3-moe',
];
const isRepresentative = ([name, dtype]: (typeof forms)[number]) =>
  dtype === 'f32' ? representatives.includes(name) : name === 'qwen2' && dtype === 'int8';

for (const [name, dtype] of cases(forms, isRepresentative)) {
  test(`${name} in ${dtype}: the fused step gives the scores of the layers, of one token or two, and draws their best`, async () => {
    const { network, params } = languageModel(await loadModel(`${goldens}/${name}`, { dtype }));
    const plan = stepPlanOf(network);
    if (dtype !== 'f32') expect(plan).toBeDefined();
    if (!plan) {
      expect(layersOnly.some((family) => name.startsWith(family))).toBe(true);
      params.dispose();
      return;
    }
    await expectStepOf(network, plan);
    params.dispose();
  });
}

for (const kind of ['layer', 'rms'] as const) {
  test(`norms of each head's queries and keys of the kind ${kind}, and keys without a bias, are in the fused step`, async () => {
    const model = createModel(
      {
        model_type: 'headwise',
        topology: 'decoder',
        vocabSize: 101,
        maxLength: 16,
        dim: 12,
        layers: 2,
        position: { kind: 'rotary' },
        heads: { count: 6, kv: 2, dim: 4, qkNorm: true, bias: { qkv: true, k: false, out: true } },
        score: { kind: 'scaled-dot-product', scale: 0.24 },
        norm: { kind },
        feedForward: { kind: 'plain', hidden: 20, activation: 'relu2' },
        block: 'pre-norm',
        head: { kind: 'language-model', tied: false },
      },
      { seed: 5 },
    );
    for (const [path, variable] of Object.entries(model.params.named())) {
      if (/[qk]Norm|bias/.test(path)) variable.assign(gaussian(variable.shape, path.length));
    }
    const plan = stepPlanOf(model.network);
    expect(plan).toBeDefined();
    await expectStepOf(model.network, plan!);
    model.params.dispose();
  });
}

test('a GGUF file that mixes types within a layer, as Q4_K_M does, keeps the fused step', async () => {
  const made = createModel(
    {
      model_type: 'llama',
      hidden_size: 256,
      intermediate_size: 256,
      num_hidden_layers: 1,
      num_attention_heads: 4,
      num_key_value_heads: 2,
      max_position_embeddings: 16,
      vocab_size: 32,
    },
    { seed: 3 },
  );
  const { metadata, tensors } = ggufModel(made, 'q4_k');
  const finer = ggufModel(made, 'q8_0').tensors;
  // Values as llama.cpp has them, and a gate apart from what it gates.
  const mixed = ['blk.0.attn_v.weight', 'blk.0.ffn_gate.weight'];
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  const all = { ...tensors, ...Object.fromEntries(mixed.map((name) => [name, finer[name]!])) };
  for await (const chunk of streamGguf(metadata, all)) chunks.push(new Uint8Array(chunk));
  made.params.dispose();
  const { network, params } = languageModel(await loadModel([new File(chunks, 'a.gguf')]));
  const plan = stepPlanOf(network);
  expect(plan).toBeDefined();
  await expectStepOf(network, plan!);
  params.dispose();
});

/** Whether the fused step gives the scores of the layers, of one token or two, and draws their best. */
async function expectStepOf(network: LanguageModel, plan: StepPlan): Promise<void> {
  const before = tf.memory().numTensors;
  const [cache, plain] = [new KeyValueCache(), new KeyValueCache()];
  const sampling = checkedSampling({ temperature: 0 });
  const loop = new StepLoop(plan, cache, { sampling, maxLength: network.maxLength });
  // Some tokens by the layers, two by their scores, and the rest in one run.
  const sequence = [11, 48, 85].map((id) => id % network.vocabSize);
  const asIds = (ids: number[]) => tf.tensor2d(ids, [1, ids.length], 'int32');
  tf.dispose(tf.tidy(() => network.forward(asIds(sequence.slice(0, 2)), { cache })));
  let unseen = sequence;
  const next = async () => {
    const scores = tf.tidy(() => {
      const logits = network.forward(asIds(unseen), { cache: plain });
      return logits.slice([0, unseen.length - 1, 0], [1, 1, -1]).reshape([1, network.vocabSize]);
    });
    const values = await scores.data();
    const id = values.indexOf(Math.max(...values));
    unseen = [id];
    return { scores, id };
  };
  const scored: tf.Tensor[] = [];
  const tokenAt = (position: number) => ({ id: sequence[position]!, position });
  for (let i = 0; i < 2; i++) {
    const expected = await next();
    await expectClose(loop.logits([tokenAt(sequence.length - 1)]), expected.scores, {
      ratio: 1e-5,
    });
    scored.push(expected.scores);
    sequence.push(expected.id);
  }
  // The same two at once, as draft tokens are verified.
  cache.trim(2);
  const both = tf.concat(scored);
  await expectClose(loop.logits([tokenAt(2), tokenAt(3)]), both, { ratio: 1e-5 });
  expect(cache.starts).toEqual([4]);
  tf.dispose([both, ...scored]);
  const position = sequence.length - 1;
  const history = { history: sequence, banned: new Set<number>() };
  const drawn = await loop.draw({ id: sequence[position]!, position }, [1, 2, 3], history);
  for (const id of drawn) {
    const expected = await next();
    expect(id).toBe(expected.id);
    expected.scores.dispose();
  }
  loop.dispose();
  cache.dispose();
  plain.dispose();
  plan.dispose();
  expect(tf.memory().numTensors).toBeLessThanOrEqual(before);
}
