import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readTensor } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { createModel, Lora, languageModel } from './index.js';
import { loadModel, saveModel } from './node.js';

const golden = (name: string) => new URL(`../../parity/goldens/${name}/`, import.meta.url).pathname;
const ids = tf.tensor2d([3, 1, 4, 1, 5, 9, 2, 6], [2, 4], 'int32');

async function logitsOf(place: string, dtype: 'f32' | 'int8' | 'int4') {
  const model = await loadModel(place, { dtype });
  const { network, params } = languageModel(model);
  const logits = tf.tidy(() => network.forward(ids));
  try {
    return {
      values: (await readTensor(logits)) as Float32Array,
      params: params.named(),
      matrices: params.matrices(),
    };
  } finally {
    logits.dispose();
    params.dispose();
  }
}

test('experts are packed as other matrices are, and their router is not', async () => {
  const { values: exact } = await logitsOf(golden('mixtral'), 'f32');
  const size = Math.sqrt(exact.reduce((sum, x) => sum + x * x, 0));
  for (const [dtype, bound] of [
    ['int8', 0.05],
    ['int4', 0.5],
  ] as const) {
    const { values, params, matrices } = await logitsOf(golden('mixtral'), dtype);
    const off = Math.sqrt(exact.reduce((sum, x, i) => sum + (x - values[i]!) ** 2, 0)) / size;
    expect(off).toBeGreaterThan(0);
    expect(off).toBeLessThan(bound);
    expect(Object.keys(params)).toContain('blocks.0.mlp.router.weight');
    expect(matrices['blocks.0.mlp.experts.down.weight']?.packed).toBeDefined();
  }
});

test('what was saved in shards gives the same scores', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'headwise-experts-'));
  try {
    for (const name of ['mixtral', 'qwen3-moe']) {
      const model = await loadModel(golden(name));
      await saveModel(join(folder, name), model, { shardBytes: 5000 });
      model.params.dispose();
      const { values } = await logitsOf(golden(name), 'f32');
      expect((await logitsOf(join(folder, name), 'f32')).values).toEqual(values);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('low-rank updates leave experts out, and name what there is', async () => {
  const model = languageModel(await loadModel(golden('mixtral')));
  try {
    expect(() => new Lora(model.params, { rank: 2, targets: /experts/ })).toThrow(
      /there are blocks\.0\.attn/,
    );
    const lora = new Lora(model.params, { rank: 2, targets: /./ });
    expect(lora.paths.filter((path) => path.includes('experts'))).toEqual([]);
    expect(lora.paths.length).toBeGreaterThan(0);
    lora.params.dispose();
  } finally {
    model.params.dispose();
  }
});

test('sizes that do not go together are refused', () => {
  const sizes = { hidden_size: 8, num_attention_heads: 2, num_key_value_heads: 2, vocab_size: 11 };
  const mixtral = {
    model_type: 'mixtral',
    num_hidden_layers: 1,
    intermediate_size: 4,
    ...sizes,
  } as const;
  expect(() => createModel({ ...mixtral, num_experts_per_tok: 9 })).toThrow(
    "'num_experts_per_tok' is 9; expected at most 'num_local_experts' 8",
  );
  expect(() => createModel({ ...mixtral, router_jitter_noise: 0.1 })).toThrow(
    /'router_jitter_noise' is 0\.1/,
  );
  const experts = { kind: 'experts', count: 4, active: 2, hidden: 4 } as const;
  const own = (feedForward: object) =>
    createModel({
      ...{
        model_type: 'headwise',
        topology: 'decoder',
        vocabSize: 11,
        maxLength: null,
        dim: 8,
        layers: 2,
      },
      ...{
        position: { kind: 'rotary' },
        heads: { count: 2 },
        norm: { kind: 'rms' },
        block: 'pre-norm',
      },
      ...{ head: { kind: 'language-model', tied: true }, feedForward },
    } as never);
  expect(() => own({ ...experts, active: 5 })).toThrow(
    "'feedForward.active' is 5; expected at most 'feedForward.count' 4",
  );
  expect(() => own({ ...experts, dense: { layers: [2], hidden: 4 } })).toThrow(
    "'feedForward.dense.layers' names 2; expected layers below 2",
  );
  own({ ...experts, dense: { layers: [1], hidden: 4 } }).params.dispose();
});
