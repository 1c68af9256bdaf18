import type { ForwardContext } from '@headwise/core';
import { createModel } from '@headwise/models';
import { describeBackends, expectClose, expectNoLeak } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  activationNames,
  attentionMaps,
  capture,
  intervene,
  meanAblation,
  onHeads,
  zeroAblation,
} from './index.js';

const sizes = { vocab_size: 11, n_positions: 13, n_embd: 12, n_layer: 2, n_head: 3 };
const makeModel = () =>
  createModel({ model_type: 'gpt2', ...sizes, initializer_range: 0.5 }, { seed: 1 });

describeBackends('capture and intervene', () => {
  let model: ReturnType<typeof makeModel>;
  let ids: tf.Tensor;
  beforeAll(() => {
    model = makeModel();
    ids = tf.tensor2d([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0, 1, 5, 5], [2, 7], 'int32');
  });
  afterAll(() => {
    model.params.dispose();
    ids.dispose();
  });
  const output = () => model.network.forward(ids);

  test('the names of all activations, in the order of the pass', () => {
    const block = (i: number) => [
      ...['q', 'k', 'v', 'scores', 'pattern', 'heads', 'out'].map((n) => `blocks.${i}.attn.${n}`),
      ...['mid', 'mlp.hidden', 'resid'].map((n) => `blocks.${i}.${n}`),
    ];
    expect(activationNames(model.network, ids)).toEqual([
      'embedded',
      ...block(0),
      ...block(1),
      'final',
      'logits',
    ]);
  });

  test('capturing everything changes no bit of the output', async () => {
    const plain = await output().data();
    const captured = capture(model.network, ids, '**');
    expect(captured.names).toHaveLength(23);
    expect(await captured.output.data()).toEqual(plain);
    expect(await captured.get('logits').data()).toEqual(plain);
    captured.dispose();
  });

  test('captured activations fit together', async () => {
    const captured = capture(model.network, ids, ['blocks.1.attn.*', 'blocks.*.resid', 'embedded']);
    const get = (name: string) => captured.get(`blocks.1.attn.${name}`);
    expect(get('q').shape).toEqual([2, 3, 7, 4]);
    await expectClose(get('pattern').sum(-1), Array(42).fill(1));
    await expectClose(tf.softmax(get('scores')), get('pattern'));
    await expectClose(tf.matMul(get('pattern'), get('v')), get('heads'));
    expect(captured.get('blocks.0.resid').shape).toEqual([2, 7, 12]);
    captured.dispose();
  });

  test('a part of the maps is those heads and rows of the whole', async () => {
    const whole = capture(model.network, ids, '**.pattern');
    const part = { heads: [2, 0], rows: [6, 3] };
    for (const interventions of [{}, { 'blocks.0.attn.pattern': (x: tf.Tensor) => x.clone() }]) {
      const some = capture(model.network, ids, '**.pattern', { part, interventions });
      for (const name of whole.names) {
        const heads = whole.get(name).gather(tf.tensor1d(part.heads, 'int32'), 1);
        await expectClose(some.get(name), heads.gather(tf.tensor1d(part.rows, 'int32'), 2));
      }
      some.dispose();
    }
    const maps = await attentionMaps(model.network, ids, { ...part, sequence: 1 });
    expect(maps.map(({ layer }) => layer)).toEqual(['blocks.0.attn', 'blocks.1.attn']);
    expect(maps[1]).toMatchObject({ heads: [2, 0], rows: [6, 3], keys: 7 });
    const rows = (await whole.get('blocks.1.attn.pattern').array()) as number[][][][];
    await expectClose(
      maps[1]!.values,
      part.heads.flatMap((h) => part.rows.flatMap((i) => rows[1]![h]![i]!)),
    );
    whole.dispose();
  });

  test('an intervention that changes nothing gives the output', async () => {
    const same = intervene(model.network, ids, { '**': (value) => value });
    await expectClose(same, output(), { ratio: 1e-5 });
  });

  test('with every head of a layer at zero, only the bias of its output is left', async () => {
    const captured = capture(model.network, ids, ['blocks.1.attn.out'], {
      interventions: { 'blocks.1.attn.heads': onHeads([0, 1, 2], zeroAblation) },
    });
    const bias = [...(await model.params.named()['blocks.1.attn.outProj.bias']!.data())];
    await expectClose(captured.get('blocks.1.attn.out'), Array(14).fill(bias).flat());
    captured.dispose();
  });

  test('one head is replaced, by zero or by its mean, and the others are not', async () => {
    const name = 'blocks.0.attn.heads';
    const before = capture(model.network, ids, name);
    const [zeroed, averaged] = [zeroAblation, meanAblation].map((change) =>
      capture(model.network, ids, name, { interventions: { [name]: onHeads([1], change) } }),
    );
    const head = (from: typeof before, h: number) => from.get(name).slice([0, h], [2, 1]);
    for (const h of [0, 2]) await expectClose(head(zeroed!, h), head(before, h));
    await expectClose(head(zeroed!, 1), Array(56).fill(0));
    const expected = head(before, 1).mean([0, 2], true).tile([2, 1, 7, 1]);
    await expectClose(head(averaged!, 1), expected);
    expect(await zeroed!.output.data()).not.toEqual(await before.output.data());
    for (const captured of [before, zeroed!, averaged!]) captured.dispose();
  });

  test('activations of another text, put in at the last block, give its logits', async () => {
    const other = tf.tensor2d([3, 3, 3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8], [2, 7], 'int32');
    const captured = capture(model.network, other, 'blocks.1.resid');
    const patched = intervene(model.network, ids, {
      'blocks.1.resid': () => captured.get('blocks.1.resid'),
    });
    expect(await patched.data()).toEqual(await captured.output.data());
    const logits = intervene(model.network, ids, { logits: () => captured.output });
    logits.dispose();
    expect(captured.output.isDisposed).toBe(false);
    captured.dispose();
  });

  test('names, heads, rows and shapes that do not exist are said', async () => {
    const before = tf.memory().numTensors;
    const run = (name: string) => () => capture(model.network, ids, ['**.resid', name]);
    expect(run('blocks.1.attn.patern')).toThrow(
      "no activation is named 'blocks.1.attn.patern'; near are blocks.1.attn.pattern, blocks.0.attn.pattern",
    );
    expect(run('blocks.7.*')).toThrow("no activation is named 'blocks.7.*'");
    expect(() => intervene(model.network, ids, { resid: zeroAblation })).toThrow(
      "no activation is named 'resid'; near are",
    );
    expect(() =>
      intervene(model.network, ids, { 'blocks.0.attn.heads': onHeads([3], zeroAblation) }),
    ).toThrow("'blocks.0.attn.heads' has no head 3; expected 0 to 2");
    expect(() => intervene(model.network, ids, { embedded: (x) => x.sum(-1) })).toThrow(
      "the replacement of 'embedded' has shape [2, 7]; expected [2, 7, 12]",
    );
    await expect(attentionMaps(model.network, ids, { heads: [0, 3] })).rejects.toThrow(
      'attention map: head 3 does not exist; expected 0 to 2',
    );
    await expect(attentionMaps(model.network, ids, { rows: [7] })).rejects.toThrow(
      'attention map: row 7 does not exist; expected 0 to 6',
    );
    await expect(attentionMaps(model.network, ids, { sequence: 2 })).rejects.toThrow(
      'sequence 2 does not exist; expected 0 to 1',
    );
    expect(tf.memory().numTensors).toBe(before);
  });

  test('a model of more than one output, wrapped in a function', async () => {
    const wrapped = {
      forward: (input: tf.Tensor, ctx?: ForwardContext) => {
        const [first, second] = tf.split(input, 2, 1);
        return { first: model.network.forward(first!, ctx), second: second! };
      },
    };
    const pairs = tf.tensor2d([1, 2, 3, 4, 5, 6, 7, 8], [2, 4], 'int32');
    const captured = capture(wrapped, pairs, '**.pattern');
    expect(captured.get('blocks.0.attn.pattern').shape).toEqual([2, 3, 2, 2]);
    const plain = model.network.forward(tf.tensor2d([1, 2, 5, 6], [2, 2], 'int32'));
    expect(await captured.output.first.data()).toEqual(await plain.data());
    const changed = intervene(wrapped, pairs, { logits: zeroAblation });
    await expectClose(changed.first, Array(44).fill(0));
    expect([...(await changed.second.data())]).toEqual([3, 4, 7, 8]);
    captured.dispose();
    expect(captured.output.second.isDisposed).toBe(true);
  });

  test('of a layer that runs twice, the last pass is kept', async () => {
    const twice = {
      forward: (input: tf.Tensor, ctx?: ForwardContext) => {
        model.network.forward(input.mul(0).toInt(), ctx);
        return model.network.forward(input, ctx);
      },
    };
    const names = ['blocks.0.attn.q', 'blocks.0.attn.pattern', 'blocks.1.resid'];
    const [once, again] = [model.network, twice].map((run) => capture(run, ids, names));
    for (const name of names) {
      expect(await again!.get(name).data(), name).toEqual(await once!.get(name).data());
    }
    once!.dispose();
    again!.dispose();
  });

  test('nothing is left behind', async () => {
    await expectNoLeak(async () => {
      capture(model.network, ids, '**').dispose();
      intervene(model.network, ids, { '**.heads': onHeads([1], meanAblation) }).dispose();
      await attentionMaps(model.network, ids, { heads: [1] });
    });
  });
});
