import { type Encoded, type ForwardContext, type Layer, ParamStore } from '@headwise/core';
import { LayerNorm } from '@headwise/layers';
import { describeBackends, expectClose, gaussian } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import {
  CrossDecoder,
  type CrossMixer,
  Decoder,
  Encoder,
  PostNormBlock,
  PostNormCrossBlock,
  PreNormBlock,
  PreNormCrossBlock,
} from './index.js';

/** A layer that computes what a function says, and whether it was told of the context. */
const layer = (f: (x: tf.Tensor) => tf.Tensor, seen?: unknown[]): Layer => ({
  forward: (x, ctx) => {
    seen?.push(ctx);
    return f(x);
  },
});

/** A mixer that computes what a function says of the tokens and the encoder's states. */
const cross = (
  f: (x: tf.Tensor, states: tf.Tensor) => tf.Tensor,
  seen?: unknown[],
): CrossMixer => ({
  forward: (x, states, ctx, mask) => {
    seen?.push(ctx, mask);
    return f(x, states);
  },
});

describeBackends('transformer', () => {
  const block = (seen?: unknown[]) =>
    new PreNormBlock({
      norm1: layer((x) => x.mul(2), seen),
      mix: layer((x) => x.add(1), seen),
      norm2: layer((x) => x.mul(3), seen),
      mlp: layer((x) => x.square(), seen),
      path: 'blocks.0',
    });

  test('PreNormBlock is x + mix(norm₁(x)), then h + mlp(norm₂(h))', async () => {
    const x = gaussian([2, 3, 5], 1);
    const values = [...(await x.data())];
    const h = values.map((v) => v + 2 * v + 1);
    const seen: unknown[] = [];
    const ctx: ForwardContext = { training: true };
    await expectClose(
      block(seen).forward(x, ctx),
      h.map((v) => v + (3 * v) ** 2),
    );
    expect(seen).toEqual([ctx, ctx, ctx, ctx]);
  });

  test('dropout acts on what is added, and taps see and replace the stream', async () => {
    const x = gaussian([1, 3, 5], 2);
    const dropped = new PreNormBlock({
      norm1: layer((x) => x),
      mix: layer((x) => x),
      norm2: layer((x) => x),
      mlp: layer((x) => x),
      dropout: layer((x) => x.mul(0)),
    });
    await expectClose(dropped.forward(x), [...(await x.data())]);
    const names: string[] = [];
    const y = block().forward(x, {
      tap: (name, value) => {
        names.push(name);
        return name.endsWith('mid') ? value.mul(0) : undefined;
      },
    });
    expect(names).toEqual(['blocks.0.mid', 'blocks.0.resid']);
    await expectClose(y, Array(15).fill(0));
  });

  test('Decoder applies blocks in order, then the norm', async () => {
    const x = gaussian([1, 2, 3], 3);
    const blocks = [layer((x) => x.add(1)), layer((x) => x.mul(2))];
    const values = [...(await x.data())];
    await expectClose(
      new Decoder({ blocks }).forward(x),
      values.map((v) => (v + 1) * 2),
    );
    const norm = layer((x) => x.sub(5));
    await expectClose(
      new Decoder({ blocks, norm }).forward(x),
      values.map((v) => (v + 1) * 2 - 5),
    );
  });

  test('PostNormBlock is h = norm₁(x + mix(x)), then norm₂(h + mlp(h))', async () => {
    const x = gaussian([2, 3, 5], 4);
    const post = new PostNormBlock({
      norm1: layer((x) => x.mul(2)),
      mix: layer((x) => x.add(1)),
      norm2: layer((x) => x.mul(3)),
      mlp: layer((x) => x.square()),
      dropout: layer((x) => x.mul(5)),
      path: 'blocks.0',
    });
    const h = [...(await x.data())].map((v) => 2 * (v + 5 * (v + 1)));
    const y = h.map((v) => 3 * (v + 5 * v ** 2));
    await expectClose(post.forward(x), y);
    const names: string[] = [];
    const replaced = post.forward(x, {
      tap: (name, value) => {
        names.push(name);
        return name.endsWith('mid') ? tf.onesLike(value) : undefined;
      },
    });
    expect(names).toEqual(['blocks.0.mid', 'blocks.0.resid']);
    await expectClose(replaced, Array(30).fill(3 * (1 + 5)));
  });

  test('blocks with norms of this workspace give the same with a tap and without', async () => {
    const params = new ParamStore({ seed: 5 });
    const norm = (name: string) => new LayerNorm(params.at(name), { dim: 5 });
    const parts = {
      norm1: norm('norm1'),
      mix: layer((x) => x.add(1).square()),
      norm2: norm('norm2'),
      mlp: layer((x) => x.square()),
      crossNorm: norm('crossNorm'),
      cross: cross((x, states) => x.mul(states)),
    };
    const [x, states] = [gaussian([2, 3, 5], 6), gaussian([2, 3, 5], 7)];
    const run = (tap?: ForwardContext['tap']) => {
      const ctx = tap ? { tap } : {};
      return [
        new PostNormBlock(parts).forward(x, ctx),
        new PostNormCrossBlock(parts).forward(x, { states }, ctx),
        new PreNormCrossBlock(parts).forward(x, { states }, ctx),
      ];
    };
    const tapped = run(() => undefined);
    for (const [i, y] of run().entries()) await expectClose(y, tapped[i]!);
    params.dispose();
  });

  const crossParts = (seen?: unknown[]) => ({
    norm1: layer((x) => x.mul(2)),
    mix: layer((x) => x.add(1)),
    crossNorm: layer((x) => x.mul(3)),
    cross: cross((x, states) => x.mul(states), seen),
    norm2: layer((x) => x.add(7)),
    mlp: layer((x) => x.square()),
    dropout: layer((x) => x.mul(5)),
    path: 'decoder.0',
  });

  test('PreNormCrossBlock adds mix, cross attention and mlp, each of a norm before it', async () => {
    const [x, states] = [gaussian([2, 3, 5], 8), gaussian([2, 3, 5], 9)];
    const [a, e] = [[...(await x.data())], [...(await states.data())]];
    const expected = a.map((v, i) => {
      const h = v + 5 * (2 * v + 1);
      const c = h + 5 * (3 * h * e[i]!);
      return c + 5 * (c + 7) ** 2;
    });
    const attentionMask = tf.ones([2, 3], 'int32');
    const seen: unknown[] = [];
    const block = new PreNormCrossBlock(crossParts(seen));
    const ctx = { training: true };
    await expectClose(block.forward(x, { states, attentionMask }, ctx), expected);
    expect(seen).toEqual([ctx, attentionMask]);
  });

  test('PostNormCrossBlock normalises after mix, cross attention and mlp', async () => {
    const [x, states] = [gaussian([2, 3, 5], 10), gaussian([2, 3, 5], 11)];
    const [a, e] = [[...(await x.data())], [...(await states.data())]];
    const expected = a.map((v, i) => {
      const h = 2 * (v + 5 * (v + 1));
      const c = 3 * (h + 5 * (h * e[i]!));
      return c + 5 * c ** 2 + 7;
    });
    await expectClose(new PostNormCrossBlock(crossParts()).forward(x, { states }), expected);
  });

  test('blocks with cross attention name three taps, each of which may be replaced', async () => {
    const [x, states] = [gaussian([1, 3, 5], 12), gaussian([1, 3, 5], 13)];
    for (const [Block, expected] of [
      [PreNormCrossBlock, 1 + 5 * (1 + 7) ** 2],
      [PostNormCrossBlock, 1 + 5 + 7],
    ] as const) {
      const names: string[] = [];
      const y = new Block(crossParts()).forward(
        x,
        { states },
        {
          tap: (name, value) => {
            names.push(name);
            return name.endsWith('crossed') ? tf.onesLike(value) : undefined;
          },
        },
      );
      expect(names).toEqual(['decoder.0.mid', 'decoder.0.crossed', 'decoder.0.resid']);
      await expectClose(y, Array(15).fill(expected));
    }
  });

  test('Encoder and CrossDecoder apply blocks in order, then the norm', async () => {
    const [x, states] = [gaussian([1, 2, 3], 14), gaussian([1, 2, 3], 15)];
    const [a, e] = [[...(await x.data())], [...(await states.data())]];
    const norm = layer((x) => x.sub(5));
    const blocks = [layer((x) => x.add(1)), layer((x) => x.mul(2))];
    await expectClose(
      new Encoder({ blocks, norm }).forward(x),
      a.map((v) => (v + 1) * 2 - 5),
    );
    const crossed = [
      { forward: (x: tf.Tensor, encoded: Encoded) => x.add(encoded.states) },
      { forward: (x: tf.Tensor) => x.mul(2) },
    ];
    await expectClose(
      new CrossDecoder({ blocks: crossed, norm }).forward(x, { states }),
      a.map((v, i) => (v + e[i]!) * 2 - 5),
    );
  });
});
