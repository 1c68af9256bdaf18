import type { ForwardContext, Layer } from '@headwise/core';
import { describeBackends, expectClose, gaussian } from '@headwise/testing';
import type * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { Decoder, PreNormBlock } from './index.js';

/** A layer that computes what a function says, and whether it was told of the context. */
const layer = (f: (x: tf.Tensor) => tf.Tensor, seen?: unknown[]): Layer => ({
  forward: (x, ctx) => {
    seen?.push(ctx);
    return f(x);
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
});
