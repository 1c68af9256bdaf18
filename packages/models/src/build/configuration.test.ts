import { cpSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type {
  EncoderDecoderModel,
  EncoderModel,
  ForwardContext,
  LanguageModel,
  ParamStore,
} from '@headwise/core';
import { KeyValueCache } from '@headwise/decoding';
import type { NamedPosition } from '@headwise/positions';
import { positionKinds } from '@headwise/positions/internal';
import { expectClose, gaussian } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { createModel, type Model, modelFromPreset } from '../model.js';
import { loadModel, saveModel } from '../node.js';
import type { DecoderConfiguration } from './model-configuration.js';

const base: DecoderConfiguration = {
  model_type: 'headwise',
  topology: 'decoder',
  vocabSize: 11,
  maxLength: 16,
  dim: 12,
  layers: 2,
  position: { kind: 'rotary' },
  heads: { count: 3, kv: 3, dim: 4 },
  norm: { kind: 'rms' },
  feedForward: { kind: 'gated', hidden: 20 },
  block: 'pre-norm',
  head: { kind: 'language-model', tied: false },
};
const ids = () => tf.tensor2d([3, 1, 4, 1, 5, 9, 2, 6, 5, 3], [2, 5], 'int32');
const goldens = fileURLToPath(new URL('../../../parity/goldens', import.meta.url));

/** Whether every parameter learns. */
async function expectGradients(params: ParamStore, loss: () => tf.Tensor): Promise<void> {
  const named = Object.entries(params.named());
  const { grads } = tf.variableGrads(
    () => loss() as tf.Scalar,
    named.map(([, variable]) => variable),
  );
  for (const [path, variable] of named) {
    expect((await grads[variable.name]!.abs().sum().data())[0], path).toBeGreaterThan(0);
  }
}

/** Whether every parameter learns, and whether a cache gives what one pass gives. */
async function expectWhole({ network, params }: Model<LanguageModel>): Promise<void> {
  const cotangent = gaussian([2, 5, network.vocabSize], 3);
  await expectGradients(params, () => network.forward(ids()).mul(cotangent).sum());
  const cache = new KeyValueCache();
  const parts = [0, 1, 2, 3, 4].map((t) => network.forward(ids().slice([0, t], [2, 1]), { cache }));
  await expectClose(tf.concat(parts, 1), network.forward(ids()), { ratio: 1e-5 });
  cache.dispose();
  params.dispose();
}

describe('a typed configuration', () => {
  const positions: NamedPosition[] = Object.values(positionKinds).map(({ example }) => example);
  /** The kinds of positions that work in both of these, or in this one. */
  const positionsOf = (...topologies: ('decoder' | 'encoder')[]) =>
    positions.filter(({ kind }) => {
      const { only } = positionKinds[kind];
      return topologies.every((topology) => only === undefined || only === topology);
    });
  for (const position of positionsOf('decoder')) {
    test(`builds positions of the kind ${position.kind}`, () =>
      expectWhole(createModel({ ...base, position }, { seed: 1 })));
  }

  for (const block of ['post-norm', 'normed-stream', 'parallel', 'parallel-two-norms'] as const) {
    test(`builds blocks of the kind ${block}`, () =>
      expectWhole(createModel({ ...base, block, norm: { kind: 'layer' } }, { seed: 2 })));
  }

  for (const kind of ['dot-product', 'general', 'additive'] as const) {
    test(`builds scores of the kind ${kind}`, () =>
      expectWhole(
        createModel(
          { ...base, score: { kind, softCap: 5 }, position: { kind: 'none' } },
          { seed: 3 },
        ),
      ));
  }

  test('builds shared heads, windows by layer, biases, one fused matrix and a tied head', () =>
    expectWhole(
      createModel(
        {
          ...base,
          heads: {
            count: 6,
            kv: 2,
            dim: 4,
            bias: { qkv: true, out: true },
            projection: 'fused',
            window: [null, 3],
          },
          head: { kind: 'language-model', tied: true },
          embedding: { norm: true, scale: 2 },
        },
        { seed: 4 },
      ),
    ));

  test('builds keys without a bias beside queries and values with one', async () => {
    const heads = { count: 6, kv: 2, dim: 4, bias: { qkv: true, k: false, out: true } };
    const model = createModel({ ...base, heads }, { seed: 4 });
    const biases = Object.keys(model.params.named()).filter((path) => /0\.attn.*bias$/.test(path));
    expect(biases.map((path) => path.split('.').at(-2)).sort()).toEqual([
      'outProj',
      'qProj',
      'vProj',
    ]);
    await expectWhole(model);
    expect(() => createModel({ ...base, heads: { ...heads, projection: 'fused' } })).toThrow(
      /'heads.bias.k' is false and 'heads.bias.qkv' true; one matrix has one bias: expected 'heads.projection' "separate"/,
    );
  });

  for (const norm of ['layer', 'rms'] as const) {
    test(`normalises each head's queries and keys by a norm of the kind ${norm}`, async () => {
      const config = {
        ...base,
        norm: { kind: norm },
        heads: { count: 6, kv: 2, dim: 4, qkNorm: true },
      } as const;
      const model = createModel(config, { seed: 4 });
      const paths = Object.keys(model.params.named());
      expect(paths).toContain('blocks.0.attn.qNorm.weight');
      expect(model.params.named()['blocks.1.attn.kNorm.weight']!.shape).toEqual([4]);
      const lengthen = (factor: number) => {
        for (const name of ['qProj', 'kProj']) {
          const weight = model.params.named()[`blocks.0.attn.${name}.weight`]!;
          tf.tidy(() => weight.assign(weight.mul(factor)));
        }
      };
      // Queries and keys of any length give the same scores, where they are long beside the norm's epsilon.
      lengthen(20);
      const before = await model.network.forward(ids()).data();
      lengthen(7);
      await expectClose(model.network.forward(ids()), before, { ratio: 1e-3 });
      await expectWhole(model);
    });
  }

  test('starts residual projections and the head at zero where it is told to', async () => {
    const model = createModel({ ...base, init: { zero: ['residual', 'head'] } }, { seed: 4 });
    expect(new Set(await model.network.forward(ids()).data())).toEqual(new Set([0]));
    const zero = [];
    for (const [path, variable] of Object.entries(model.params.named())) {
      const values = await variable.data();
      if (path.endsWith('weight') && values.every((value) => value === 0)) zero.push(path);
    }
    const ofBlock = (i: number) => [
      `blocks.${i}.attn.outProj.weight`,
      `blocks.${i}.mlp.down.weight`,
    ];
    expect(zero.sort()).toEqual([...ofBlock(0), ...ofBlock(1), 'head.weight'].sort());
    model.params.dispose();
    const tied = {
      ...base,
      head: { kind: 'language-model', tied: true },
      init: { zero: ['head'] },
    } as const;
    expect(() => createModel(tied)).toThrow('\'init.zero\' names "head"');
  });

  for (const position of positionsOf('encoder')) {
    test(`builds an encoder with positions of the kind ${position.kind}`, async () => {
      const encoder = createModel({ ...base, topology: 'encoder', position } as unknown, {
        seed: 5,
      });
      const { network, params } = encoder as Model<EncoderModel>;
      const cotangent = gaussian([2, 5, 11], 3);
      await expectGradients(params, () => network.forward(ids()).logits!.mul(cotangent).sum());
      // A later token changes an earlier output: all see all.
      const changed = tf.concat([ids().slice([0, 0], [2, 4]), tf.zeros([2, 1], 'int32')], 1);
      const [a, b] = [ids(), changed].map((x) => network.encode(x).slice([0, 0, 0], [2, 1, 12]));
      expect(await a!.data()).not.toEqual(await b!.data());
      params.dispose();
    });
  }

  for (const position of positionsOf('encoder', 'decoder')) {
    test(`builds an encoder-decoder with positions of the kind ${position.kind}`, async () => {
      const cotangent = gaussian([2, 5, 11], 3);
      for (const block of ['pre-norm', 'post-norm'] as const) {
        const config = { ...base, topology: 'encoder-decoder', position, block } as const;
        const model = createModel(config as unknown, { seed: 6 }) as Model<EncoderDecoderModel>;
        const { network: both } = model;
        const run = (ctx?: ForwardContext, from = 0, count = 5) =>
          both.decode(ids().slice([0, from], [2, count]), both.encode(ids()), ctx);
        await expectGradients(model.params, () => run().mul(cotangent).sum());
        const cache = new KeyValueCache();
        const parts = [0, 1, 2, 3, 4].map((t) => run({ cache }, t, 1));
        await expectClose(tf.concat(parts, 1), run(), { ratio: 1e-5 });
        cache.dispose();
        model.params.dispose();
      }
    });
  }

  test('builds a classifier of sequences on a decoder and on an encoder', async () => {
    const head = { kind: 'sequence-classification', labels: 3, padId: 0 } as const;
    for (const topology of ['decoder', 'encoder'] as const) {
      const model = createModel({ ...base, topology, head } as unknown) as Model<EncoderModel>;
      const logits = model.network.forward(ids()).logits!;
      expect(logits.shape).toEqual([2, 3]);
      model.params.dispose();
    }
  });

  const refused: [change: Record<string, unknown>, message: RegExp][] = [
    [{ topology: 'ring' }, /'topology' is "ring"/],
    [
      { topology: 'encoder', position: { kind: 'transformer-xl' } },
      /expected 'topology' "decoder", got "encoder"/,
    ],
    [
      { topology: 'encoder-decoder', block: 'parallel' },
      /'block' is "parallel"; an encoder-decoder takes/,
    ],
    [
      { topology: 'encoder-decoder', decoder: { vocabSize: 7 } },
      /'decoder\.vocabSize' is 7 and 'vocabSize' 11; two vocabularies need two tables/,
    ],
    [
      { decoder: { layers: 3 } },
      /'decoder' is \{"layers":3\}; it goes with 'topology' "encoder-decoder"/,
    ],
    [
      { embedding: { tokenTypes: 2 } },
      /'embedding\.tokenTypes' is 2; it goes with 'topology' "encoder"/,
    ],
    [
      { position: { kind: 'learned', padId: 1 } },
      /'position\.padId' is 1; it goes with 'topology' "encoder"/,
    ],
    [
      { topology: 'encoder', head: { kind: 'language-model', tied: true, softCap: 3 } },
      /'head\.softCap' is 3; it goes with 'topology' "decoder", got "encoder"/,
    ],
    [
      { position: { kind: 'rotary', layers: ['none'] } },
      /'position\.layers' has 1 entries; expected one for each of 2 layers/,
    ],
    [
      { position: { kind: 'rotary', layers: ['local', 'global'] } },
      /'position\.layers' names "local"; expected 'position\.local'/,
    ],
    [
      { head: { kind: 'masked-language-model', tied: true } },
      /'head\.kind' is "masked-language-model"; 'topology' "decoder" takes/,
    ],
    [
      { position: { kind: 'learned' }, maxLength: null },
      /'maxLength' is null; positions of the kind "learned" need the longest sequence/,
    ],
    [{ position: { kind: 'grid' } }, /'position\.kind' is "grid"/],
    [{ position: { kind: 't5', buckets: 8 } }, /'position\.maxDistance' is missing/],
    [{ norm: { kind: 'rms', eps: 1 } }, /unknown key 'norm\.eps'/],
    [{ heads: { count: 5 } }, /'dim' 12 is not divisible by 'heads\.count' 5/],
    [{ heads: { count: 3, kv: 2 } }, /'heads\.count' 3 is not divisible by 'heads\.kv' 2/],
    [
      { heads: { count: 3, window: [4] } },
      /'heads\.window' has 1 entries; expected one for each of 2/,
    ],
    [{ head: { kind: 'adaptive', tied: [] } }, /an adaptive head goes with an adaptive embedding/],
  ];
  for (const [change, message] of refused) {
    test(`refuses ${JSON.stringify(change)}`, () => {
      const before = tf.memory().numTensors;
      expect(() => createModel({ ...base, ...change } as unknown)).toThrow(message);
      expect(tf.memory().numTensors).toBe(before);
    });
  }
});

describe('a preset with one part changed', () => {
  const change = { position: { kind: 'alibi' } } as const;
  const sizes = { hidden_size: 12, num_attention_heads: 3, num_hidden_layers: 2, vocab_size: 11 };

  test('is the family but for that part', () =>
    expectWhole(
      modelFromPreset('llama', { ...sizes, intermediate_size: 20 }, { change, seed: 5 }),
    ));

  test("is given a checkpoint's weights; those left out and made anew are listed", async () => {
    const folder = join(goldens, 'gpt2');
    const model = await loadModel(folder, { change, seed: 6 });
    expect(model.unusedKeys).toEqual(['transformer.wpe.weight']);
    expect(model.newPaths).toEqual([]);
    model.params.dispose();

    const shaw = { position: { kind: 'shaw', clip: 2 } } as const;
    const relative = await loadModel(folder, { change: shaw });
    expect(relative.newPaths).toEqual(['positions.keys', 'positions.values']);
    const original = await loadModel(folder);
    const kept = 'blocks.1.attn.qkv.weight';
    expect(await relative.params.named()[kept]!.data()).toEqual(
      await original.params.named()[kept]!.data(),
    );
    relative.params.dispose();
    original.params.dispose();
  });

  test('is saved with its whole configuration, and loaded again', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'headwise-changed-'));
    cpSync(join(goldens, 'llama'), folder, { recursive: true });
    const changed = await loadModel(folder, { change });
    await saveModel(folder, changed);
    const again = await loadModel(folder);
    expect(again.family.modelType).toBe('headwise');
    expect(again.config).toEqual(changed.config);
    const [a, b] = [changed, again].map(({ network }) => (network as LanguageModel).forward(ids()));
    expect(await b!.data()).toEqual(await a!.data());
    changed.params.dispose();
    again.params.dispose();
  });
});
