import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { masks, scaledDotProductScore, scoreMod } from '@headwise/attention';
import {
  type EncoderDecoderModel,
  type ForwardContext,
  initializers,
  type Layer,
  type ParamStore,
} from '@headwise/core';
import { RMSNorm } from '@headwise/layers';
import { type InputPosition, RotaryPosition } from '@headwise/positions';
import { expectClose } from '@headwise/testing';
import { PreNormBlock, PreNormCrossBlock } from '@headwise/transformer';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { createModel, languageModel, type Model, modelFromPreset } from '../model.js';
import { loadModel, saveModel } from '../node.js';
import type { DecoderConfiguration } from './model-configuration.js';
import { type PartFactory, registerPart } from './own-parts.js';

const base: DecoderConfiguration = {
  model_type: 'headwise',
  topology: 'decoder',
  vocabSize: 11,
  maxLength: 16,
  dim: 12,
  layers: 2,
  position: { kind: 'none' },
  heads: { count: 3, dim: 4 },
  norm: { kind: 'rms' },
  feedForward: { kind: 'plain', hidden: 20 },
  block: 'pre-norm',
  head: { kind: 'language-model', tied: true },
};
const ids = () => tf.tensor2d([3, 1, 4, 1, 5, 9, 2, 6, 5, 3], [2, 5], 'int32');
const goldens = new URL('../../../parity/goldens/', import.meta.url).pathname;
const folder = () => mkdtempSync(join(tmpdir(), 'headwise-own-'));

/** A norm by a user: `g x / max |x|`. */
class MaxNorm implements Layer {
  readonly #gain: tf.Tensor;

  constructor(params: ParamStore, dim: number) {
    this.#gain = params.get('gain', [dim], initializers.ones);
  }

  forward(x: tf.Tensor): tf.Tensor {
    return tf.tidy(() => x.div(x.abs().max(-1, true).add(1e-3)).mul(this.#gain));
  }
}

/** A position by a user: a learned slope times the place, added to the embeddings. */
class Ramp implements InputPosition {
  readonly #slope: tf.Tensor;

  constructor(params: ParamStore, dim: number) {
    this.#slope = params.get('slope', [dim], initializers.ones);
  }

  forward(x: tf.Tensor, ctx?: ForwardContext): tf.Tensor {
    return tf.tidy(() => {
      const start = ctx?.cache?.length ?? 0;
      const places = tf.range(start, start + x.shape[1]!).expandDims(-1); // [T, 1]
      return x.add(places.mul(this.#slope).mul(0.1));
    });
  }
}

const maxNorm: PartFactory<'norm'> = (params, { dim }) => new MaxNorm(params, dim);
const ramp: PartFactory<'position'> = (params, { dim }) => new Ramp(params, dim);

async function expectLearns({ params, network }: Model): Promise<void> {
  const named = Object.entries(params.named());
  const run = () => {
    if ('decode' in network) return network.decode(ids(), network.encode(ids()));
    return network.forward(ids()) as tf.Tensor;
  };
  const { grads } = tf.variableGrads(
    () => run().square().sum() as tf.Scalar,
    named.map(([, variable]) => variable),
  );
  for (const [path, variable] of named) {
    expect((await grads[variable.name]!.abs().sum().data())[0], path).toBeGreaterThan(0);
  }
}

describe('a part of one’s own', () => {
  test('stands beside the named kinds: an instance, or a factory with parameters', async () => {
    const model = createModel({
      ...base,
      position: ramp,
      norm: maxNorm,
      score: scaledDotProductScore,
      mask: masks.slidingWindow(3),
      mods: [scoreMod((score) => score.mul(0.5))],
      feedForward: (params, { dim }) => new RMSNorm(params, { dim }),
      block: (_, { parts }) => new PreNormBlock(parts),
    });
    const paths = Object.keys(model.params.named());
    for (const path of [
      'positions.slope',
      'blocks.1.norm2.gain',
      'norm.gain',
      'blocks.0.mlp.weight',
    ]) {
      expect(paths).toContain(path);
    }
    await expectLearns(model);
    model.params.dispose();
  });

  test('computes what a named kind computes, where it is the same', async () => {
    const named = createModel({
      ...base,
      position: { kind: 'rotary' },
      heads: { ...base.heads, window: 3 },
      score: { kind: 'dot-product' },
    });
    const own = createModel({
      ...base,
      position: new RotaryPosition({ headDim: 4 }),
      mask: masks.slidingWindow(3),
      score: (params, sizes) => ({ ...scaledDotProductScore(params, sizes), scale: 1 }),
      norm: (params, { dim }) => new RMSNorm(params, { dim }),
      block: (_, { parts }) => new PreNormBlock(parts),
    });
    await expectClose(own.network.forward(ids()), named.network.forward(ids()), { ratio: 1e-6 });
    for (const { params } of [named, own]) params.dispose();
  });

  test('mods are applied in order, after positions', async () => {
    const capped = createModel({ ...base, score: { kind: 'scaled-dot-product', softCap: 2 } });
    const own = createModel({ ...base, mods: [scoreMod((score) => score.div(2).tanh().mul(2))] });
    await expectClose(own.network.forward(ids()), capped.network.forward(ids()), { ratio: 1e-6 });
    for (const { params } of [capped, own]) params.dispose();
  });

  test('makes both sides of an encoder-decoder', async () => {
    const model = createModel({
      ...base,
      topology: 'encoder-decoder',
      position: ramp,
      norm: maxNorm,
      block: ((_, { parts }) =>
        'cross' in parts
          ? new PreNormCrossBlock(parts as never)
          : new PreNormBlock(parts)) satisfies PartFactory<'block'>,
    } as unknown) as Model<EncoderDecoderModel>;
    expect(Object.keys(model.params.named())).toContain('decoder.blocks.0.crossNorm.gain');
    await expectLearns(model);
    model.params.dispose();
  });

  test('a class is refused, and so is what is not a part', () => {
    expect(() => createModel({ ...base, norm: MaxNorm } as unknown)).toThrow(
      "config.json: 'norm' is class MaxNorm; expected a function (params, context) that returns the part",
    );
    expect(() => createModel({ ...base, position: { apply: 1 } } as unknown)).toThrow("'position");
    expect(() => registerPart('norms' as never, 'x', maxNorm)).toThrow(
      'registerPart: the slot is "norms"; expected one of position, score, mask, mod, norm, feedForward, block',
    );
  });
});

describe('a part of one’s own in a checkpoint', () => {
  test('is saved by its registered name with its options, and loaded by it', async () => {
    registerPart('norm', 'max-norm', maxNorm);
    registerPart('mod', 'times', (_, { options }) =>
      scoreMod((score) => score.mul(options.factor as number)),
    );
    const mods = [{ kind: 'own', name: 'times', options: { factor: 3 } }] as const;
    const model = languageModel(createModel({ ...base, norm: maxNorm, mods }));
    const out = folder();
    await saveModel(out, model);
    const config = JSON.parse(readFileSync(join(out, 'config.json'), 'utf8'));
    expect(config.norm).toEqual({ kind: 'own', name: 'max-norm' });
    expect(config.mods).toEqual(mods);
    const again = languageModel(await loadModel(out));
    await expectClose(again.network.forward(ids()), model.network.forward(ids()), { ratio: 0 });
    for (const { params } of [model, again]) params.dispose();
  });

  test('is refused by name where it is not registered', async () => {
    const norm = { kind: 'own', name: 'unheard' } as const;
    expect(() => createModel({ ...base, norm })).toThrow(
      /config\.json: 'norm' is the part "unheard", which is not registered; call registerPart\('norm', 'unheard', …\) first/,
    );
    const model = createModel({ ...base, position: new RotaryPosition({ headDim: 4 }) });
    await expect(saveModel(folder(), model)).rejects.toThrow(
      "saving the model: 'position' is a part of your own, RotaryPosition, without a registered name",
    );
    model.params.dispose();
  });

  test('takes the place of a family’s part, and starts anew', async () => {
    const change = { norm: maxNorm, position: ramp };
    const loaded = await loadModel(`${goldens}bert-masked-lm`, { change });
    expect(loaded.newPaths).toContain('positions.slope');
    expect(loaded.newPaths).toContain('blocks.0.norm1.gain');
    loaded.params.dispose();
    const sizes = { n_embd: 12, n_head: 3, n_layer: 1, vocab_size: 11 };
    const made = modelFromPreset('gpt2', sizes, { change });
    await expectLearns(made);
    made.params.dispose();
  });
});
