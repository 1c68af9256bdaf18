import type { LanguageModel } from '@headwise/core';
import { loadModel } from '@headwise/models/node';
import { expectClose } from '@headwise/testing';
import { expect, test } from 'vitest';
import golden from '../goldens/preferences.json' with { type: 'json' };
import {
  AdamW,
  constantRate,
  directPreference,
  type ExampleBatch,
  groupAdvantages,
  groupRelativePolicy,
  identityPreference,
  ignoredTarget,
  kahnemanTversky,
  type Objective,
  train,
} from '../index.js';

interface Table {
  shape: number[];
  data: number[];
}
type Batch = Record<string, Table>;

const gpt2 = new URL('../../../parity/goldens/gpt2', import.meta.url).pathname;

/** Rows of several tables one below the other, padded on the right to the same length. */
function stacked(tables: readonly Table[]): number[][] {
  const width = Math.max(...tables.map(({ shape }) => shape[1]!));
  return tables.flatMap(({ data, shape: [rows, length] }) =>
    Array.from({ length: rows! }, (_, row) =>
      Array.from({ length: width }, (_, i) => (i < length! ? data[row * length! + i]! : 0)),
    ),
  );
}

/** TRL's ids and their mask of completions as next-token inputs and targets. */
function nextTokens(ids: number[][], counted: number[][]) {
  return {
    inputs: Int32Array.from(ids.flatMap((row) => row.slice(0, -1))),
    targets: Int32Array.from(
      ids.flatMap((row, n) =>
        row.slice(1).map((id, i) => (counted[n]![i + 1] ? id : ignoredTarget)),
      ),
    ),
    shape: [ids.length, ids[0]!.length - 1] as const,
  };
}

const pairs = (b: Batch) => ({
  ...nextTokens(stacked([b.input_ids!]), stacked([b.completion_mask!])),
  reference: Float32Array.from([...b.ref_chosen_logps!.data, ...b.ref_rejected_logps!.data]),
});
const judged = (b: Batch) => ({
  ...nextTokens(
    stacked([b.input_ids!, b.KL_input_ids!]),
    stacked([b.completion_mask!, b.KL_completion_mask!]),
  ),
  reference: Float32Array.from([...b.ref_logps!.data, ...b.ref_KL_logps!.data]),
  desirable: Int32Array.from((b.label!.data ?? b.label) as ArrayLike<number>),
});
function groups(b: Batch) {
  const [rows, length] = b.completion_ids!.shape as [number, number];
  const prompt = b.prompt_ids!.shape[1]!;
  const join = (first: number[][], then: number[][]) =>
    first.map((row, n) => [...row, ...then[n]!]);
  const none = Array.from({ length: rows }, () => new Array<number>(prompt).fill(0));
  const joined = nextTokens(
    join(stacked([b.prompt_ids!]), stacked([b.completion_ids!])),
    join(none, stacked([b.completion_mask!])),
  );
  const placed = (table: Table) =>
    Float32Array.from(stacked([table]).flatMap((row) => [...none[0]!.slice(1), ...row]));
  expect(joined.shape).toEqual([rows, prompt + length - 1]);
  return {
    ...joined,
    advantages: Float32Array.from(b.advantages!.data),
    ...(b.old_per_token_logps ? { written: placed(b.old_per_token_logps) } : {}),
    reference: placed(b.ref_per_token_logps!),
  };
}

const objectives: Record<
  string,
  [
    (network: LanguageModel, options: Record<string, number>) => Objective<never>,
    (b: Batch) => ExampleBatch,
  ]
> = {
  DPO: [directPreference, pairs],
  IPO: [identityPreference, pairs],
  KTO: [kahnemanTversky, judged],
  GRPO: [groupRelativePolicy, groups],
};

for (const { objective: name, options, adamEpsilon: epsilon, steps } of golden.cases) {
  test(`${name}: twenty steps of AdamW on GPT-2 make the losses of TRL`, async () => {
    const { network, params } = await loadModel(gpt2);
    const [objectiveOf, batchOf] = objectives[name]!;
    const optimizer = new AdamW(params.named(), { epsilon });
    const run = train({
      objective: objectiveOf(
        network as LanguageModel,
        options as Record<string, number>,
      ) as Objective<ExampleBatch>,
      params: params.named(),
      optimizer,
      schedule: constantRate(golden.rate),
      batches: { at: (n) => batchOf(steps[n]!.batch as unknown as Batch) },
      steps: steps.length,
    });
    for await (const { step, loss } of run) {
      const expected = steps[step]!.loss;
      // The losses of GRPO are sums of terms of about 1 that cancel: what is left of them is compared on their scale.
      const scale = name === 'GRPO' ? Math.max(0.1, Math.abs(expected)) : expected;
      expect(Math.abs(loss - expected) / scale, `step ${step}: ${loss}, ${expected}`).toBeLessThan(
        1e-4,
      );
    }
    optimizer.dispose();
    params.dispose();
  });
}

test('advantages compare a completion with the others of its prompt', async () => {
  await expectClose(
    groupAdvantages([1, 3, 5, 5], 2),
    [-2, 2, 0, 0].map((x) => x / (Math.SQRT2 * 2 + 2e-4)),
  );
  expect(() => groupAdvantages([1, 2, 3], 2)).toThrow('3 rewards in groups of 2');
  expect(() => groupAdvantages([1, Number.NaN], 2)).toThrow('reward 1 is NaN');
});

test('batches and settings of preferences that cannot be are refused', async () => {
  const { network, params } = await loadModel(gpt2);
  const model = network as LanguageModel;
  const batch = {
    inputs: Int32Array.of(5, 6, 5, 6),
    targets: Int32Array.of(-100, 7, -100, 8),
    shape: [2, 2] as const,
    reference: Float32Array.of(-1, -2),
  };
  const dpo = directPreference(model);
  expect(() => dpo.loss({ ...batch, reference: Float32Array.of(-1) })).toThrow(
    'direct preference optimization: reference',
  );
  expect(() => dpo.loss({ ...batch, reference: Float32Array.of(-1, Number.NaN) })).toThrow(
    'the reference log-probability of row 1 is NaN',
  );
  expect(() => dpo.loss({ ...batch, targets: Int32Array.of(-100, 7, -100, 800) })).toThrow(
    'target 800 at position [1, 1] is outside the vocabulary',
  );
  expect(() => directPreference(model, { beta: 0 })).toThrow(
    'beta is 0; expected a positive number',
  );
  expect(() => identityPreference(model).loss({ ...batch, shape: [1, 4] as const })).toThrow(
    'the batch has 1 rows; expected two for each pair',
  );
  expect(() => kahnemanTversky(model).loss({ ...batch, desirable: Int32Array.of(2) })).toThrow(
    'judgement 2 at position 0 is outside the two judgements',
  );
  const grpo = groupRelativePolicy(model, { beta: 0.1 });
  expect(() =>
    grpo.loss({ ...batch, reference: undefined, advantages: Float32Array.of(1, -1) }),
  ).toThrow('the batch has no reference');
  expect(() => groupRelativePolicy(model, { epsilon: 2 })).toThrow('epsilon is 2');
  params.dispose();
});
