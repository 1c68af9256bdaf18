import { initializers, ParamStore, Random } from '@headwise/core';
import { readSafetensors, writeSafetensors } from '@headwise/safetensors';
import { expectClose, gaussian } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { AdamW } from './adamw.js';
import {
  causalLanguageModel,
  languageModelLoss,
  type TokenBatch,
} from './causal-language-model.js';
import { ignoredTarget } from './cross-entropy.js';
import { DivergedError } from './diverged.js';
import { bitsPerByte, evaluate } from './evaluate.js';
import { lossAndGradients } from './gradients.js';
import { constantRate } from './schedule.js';
import { restoreTrainer, trainerState } from './state.js';
import { train } from './train.js';

/** A language model of one table: the scores of the next token by the last one. */
function bigram(params: ParamStore, vocabSize: number) {
  const table = params.get('table', [vocabSize, vocabSize], initializers.zeros);
  return {
    vocabSize,
    maxLength: 100,
    forward: (ids: tf.Tensor) =>
      tf
        .oneHot(ids.flatten().toInt(), vocabSize)
        .toFloat()
        .matMul(table as unknown as tf.Tensor2D)
        .reshape([...ids.shape, vocabSize]),
  };
}

const batchOf = (seed: number): TokenBatch => {
  const random = new Random(seed);
  const draw = () => Int32Array.from({ length: 10 }, () => Math.floor(random.next() * 5));
  return { inputs: draw(), targets: draw(), shape: [2, 5], examples: [2 * seed, 2 * seed + 1] };
};
const batches = { at: batchOf };

describe('train', () => {
  const options = (params: ParamStore, steps: number) => {
    const network = bigram(params, 5);
    const named = params.named();
    const optimizer = new AdamW(named);
    const objective = causalLanguageModel(network);
    const schedule = constantRate(0.1);
    return { network, objective, params: named, optimizer, schedule, batches, steps };
  };
  const lossesOf = async (run: ReturnType<typeof train>) => {
    const losses: number[] = [];
    for await (const { loss } of run) losses.push(loss);
    return losses;
  };

  test('saved, restored and gone on with gives the losses of one run', async () => {
    const straight = await lossesOf(train(options(new ParamStore(), 9)));
    expect(straight[0]).toBeCloseTo(Math.log(5), 5);

    const first = options(new ParamStore(), 5);
    const losses = await lossesOf(train(first));
    const random = new Random(3);
    random.next();
    const { tensors, metadata } = trainerState(first, { step: 5, random: random.state });
    const eager = await Promise.all(
      Object.entries(tensors).map(async ([k, t]) => [k, { ...t, data: await t.data() }] as const),
    );
    const bytes = writeSafetensors(Object.fromEntries(eager), metadata);

    const second = options(new ParamStore(), 9);
    const progress = restoreTrainer(second, readSafetensors(bytes), 'state');
    expect(progress).toEqual({ step: 5, random: random.state });
    losses.push(...(await lossesOf(train({ ...second, start: progress.step }))));
    for (const [i, loss] of straight.entries()) expect(losses[i]).toBeCloseTo(loss, 6);
  });

  test('holds nothing between two steps: leaving the loop leaks nothing', async () => {
    const made = options(new ParamStore(), 9);
    const run = train(made);
    await run.next();
    const { numTensors, numBytes } = tf.memory();
    await run.next();
    expect(tf.memory()).toMatchObject({ numTensors, numBytes });
    await run.return(undefined);
    expect(tf.memory()).toMatchObject({ numTensors, numBytes });
  });

  test('stops before an update that would spoil the parameters', async () => {
    const made = options(new ParamStore(), 9);
    const healthy = made.network.forward;
    let calls = 0;
    made.network.forward = (ids) => (calls++ === 3 ? healthy(ids).mul(Number.NaN) : healthy(ids));
    const seen: number[] = [];
    let before: unknown;
    await expect(async () => {
      for await (const { loss } of train(made)) {
        seen.push(loss);
        before = await made.params.table!.data();
      }
    }).rejects.toThrow(
      "training diverged at step 3 in the examples 6, 7: loss NaN, gradient norm NaN; the gradient of 'table' is not finite; lower the learning rate",
    );
    expect(seen).toHaveLength(3);
    expect(await made.params.table!.data()).toEqual(before);
  });

  test('of a step of several batches, names the examples of the one that diverged, and the parameter', async () => {
    const made = options(new ParamStore(), 1);
    const healthy = made.network.forward;
    let calls = 0;
    made.network.forward = (ids) => (calls++ === 1 ? healthy(ids).mul(Number.NaN) : healthy(ids));
    const error = await train({ ...made, accumulate: 3 })
      .next()
      .catch((error: unknown) => error);
    expect(error).toBeInstanceOf(DivergedError);
    expect(error).toMatchObject({ step: 0, examples: [2, 3], parameter: 'table' });
    await made.params.table!.assign(tf.fill([5, 5], Number.NaN));
    await expect(train({ ...made, accumulate: 3 }).next()).rejects.toThrow(
      "parameter 'table' is not finite",
    );
  });

  test('the gradients of 8 batches of unequal targets are those of one batch of all rows', async () => {
    const rows = Array.from({ length: 8 }, (_, n) => {
      const batch = batchOf(n);
      // Fewer targets in each, none in the last.
      const targets = batch.targets.map((target, i) =>
        i < 10 - n - (n === 7 ? 3 : 0) ? target : ignoredTarget,
      );
      return { ...batch, targets };
    });
    const whole: TokenBatch = {
      inputs: Int32Array.from(rows.flatMap(({ inputs }) => [...inputs])),
      targets: Int32Array.from(rows.flatMap(({ targets }) => [...targets])),
      shape: [16, 5],
    };
    const results = [];
    for (const [accumulate, at] of [
      [8, (n: number) => rows[n]!],
      [1, () => whole],
    ] as const) {
      const made = options(new ParamStore(), 1);
      made.params.table!.assign(gaussian([5, 5], 3));
      const { value } = await train({ ...made, accumulate, batches: { at } }).next();
      results.push({ ...value, table: await made.params.table!.data() });
    }
    const [parts, one] = results as [(typeof results)[0], (typeof results)[0]];
    expect(parts.predicted).toBe(one.predicted);
    await expectClose([parts.loss, parts.gradientNorm], [one.loss, one.gradientNorm], {
      ratio: 1e-6,
    });
    await expectClose(parts.table, one.table, { ratio: 1e-6 });
  });

  test('refuses steps of no batches, and batches with nothing to predict', async () => {
    const made = options(new ParamStore(), 1);
    for (const accumulate of [0, -1, 1.5, Number.NaN]) {
      await expect(train({ ...made, accumulate }).next()).rejects.toThrow(
        `train: accumulate is ${accumulate}; expected a whole number of at least 1`,
      );
    }
    const silent = {
      at: (n: number) => ({ ...batchOf(n), targets: new Int32Array(10).fill(ignoredTarget) }),
    };
    await expect(train({ ...made, batches: silent, accumulate: 2 }).next()).rejects.toThrow(
      'train: step 0: nothing to predict by causal language modeling in the examples 0, 1, 2, 3; expected at least one target',
    );
  });

  test('a state of another model or format changes nothing', async () => {
    const made = options(new ParamStore(), 1);
    const table = await made.params.table!.data();
    const data = new Float32Array(9).fill(7);
    const metadata = { format: 'headwise-trainer-1', step: '1', updates: '1', random: '[1,2,3,4]' };
    const other = (metadata: Record<string, string>) =>
      readSafetensors(writeSafetensors({ 'params.table': { shape: [3, 3], data } }, metadata));
    expect(() => restoreTrainer(made, other({}), 'state')).toThrow(
      "state: format is 'undefined'; expected 'headwise-trainer-1'",
    );
    expect(() => restoreTrainer(made, other(metadata), 'state')).toThrow(
      "state: tensor 'params.table' is F32 [3, 3]; the model needs F32 [5, 5]",
    );
    for (const [key, value, expected] of [
      ['updates', undefined, "updates is 'undefined'; expected a whole number"],
      ['step', '-5', "step is '-5'; expected a whole number"],
      ['random', 'xx', "random is 'xx'; expected four words of 32 bits, not all zero"],
      ['random', '[0,0,0,0]', "random is '[0,0,0,0]'; expected four words"],
    ] as const) {
      const { [key]: _, ...rest } = metadata;
      const spoilt = other(value === undefined ? rest : { ...rest, [key]: value });
      expect(() => restoreTrainer(made, spoilt, 'state')).toThrow(`state: ${expected}`);
    }
    expect(() => restoreTrainer(made, other({ ...metadata, optimizer: 'lion' }), 'state')).toThrow(
      "state: the optimizer is 'lion'; expected 'adamw'",
    );
    expect(await made.params.table!.data()).toEqual(table);
  });

  test('a parameter that the loss does not depend on is named', () => {
    const used = tf.variable(tf.scalar(1));
    const idle = tf.variable(tf.scalar(1));
    const before = tf.memory().numTensors;
    expect(() => lossAndGradients({ used, idle }, () => used.square() as tf.Scalar)).toThrow(
      "parameter 'idle' has no gradient: the loss does not depend on it",
    );
    expect(tf.memory().numTensors).toBe(before);
    tf.dispose([used, idle]);
  });
});

test('evaluate weighs batches by their tokens, and bits per byte follow', async () => {
  const params = new ParamStore();
  const network = bigram(params, 5);
  const small: TokenBatch = {
    inputs: Int32Array.from([1]),
    targets: Int32Array.from([2]),
    shape: [1, 1],
  };
  const measured = await evaluate(causalLanguageModel(network), [batchOf(1), small]);
  expect(measured.predicted).toBe(11);
  expect(measured.loss).toBeCloseTo(Math.log(5), 6);
  expect(measured.perplexity).toBeCloseTo(5, 5);
  expect(bitsPerByte(measured, 22)).toBeCloseTo(Math.log2(5) / 2, 6);
  await expect(evaluate(causalLanguageModel(network), [])).rejects.toThrow('there is no batch');
});

test('targets that are ignored cost nothing and are not counted', async () => {
  const params = new ParamStore();
  const network = bigram(params, 5);
  params.named().table!.assign(gaussian([5, 5], 1));
  const [inputs, targets] = [Int32Array.from([1, 2, 3, 4]), Int32Array.from([2, 0, 1, 3])];
  const two = { inputs: inputs.slice(0, 2), targets: targets.slice(0, 2), shape: [1, 2] } as const;
  const padded = { inputs, targets: targets.map((t, i) => (i < 2 ? t : ignoredTarget)) };
  const four = { ...padded, shape: [1, 4] } as const;
  await expectClose(languageModelLoss(network, four), languageModelLoss(network, two));
  expect((await evaluate(causalLanguageModel(network), [four])).predicted).toBe(2);
  const none = { ...four, targets: new Int32Array(4).fill(ignoredTarget) };
  expect(() => languageModelLoss(network, none)).toThrow('every target is ignored');
});

test('rates and decays are chosen by path, and negative ones are refused', async () => {
  const named = (...paths: string[]) =>
    Object.fromEntries(paths.map((path) => [path, tf.variable(tf.ones([2, 3]))]));
  const params = named('frozen', 'slow', 'decaying');
  const optimizer = new AdamW(params, {
    rates: (path) => ({ frozen: 0, slow: 0.5 })[path] ?? 1,
    weightDecay: (path) => (path === 'decaying' ? 0.5 : 0),
  });
  const gradients = Object.fromEntries(Object.keys(params).map((k) => [k, tf.ones([2, 3])]));
  optimizer.update(gradients, 0.1);
  // The first step of Adam is the learning rate itself.
  await expectClose(params.frozen!, Array(6).fill(1));
  await expectClose(params.slow!, Array(6).fill(0.95));
  await expectClose(params.decaying!, Array(6).fill(0.85));
  expect(() => optimizer.update(gradients, -1)).toThrow(
    'AdamW: the learning rate of update 1 is -1; expected a finite number of at least 0',
  );
  expect(() => new AdamW(params, { rates: () => -1 })).toThrow(
    "AdamW: the rate of 'frozen' is -1; expected",
  );
  expect(() => new AdamW(params, { weightDecay: Number.NaN })).toThrow(
    'AdamW: weightDecay is NaN; expected',
  );
  optimizer.dispose();
});
