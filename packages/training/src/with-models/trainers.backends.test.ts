import type { LanguageModel } from '@headwise/core';
import { AdaptedModel } from '@headwise/models';
import { loadAdapter } from '@headwise/models/node';
import { cases, describeBackends } from '@headwise/testing';
import type * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import golden from '../goldens/steps/trainers.json' with { type: 'json' };
import {
  AdamW,
  causalLanguageModel,
  directPreference,
  type ExampleBatch,
  groupRelativePolicy,
  identityPreference,
  ignoredTarget,
  kahnemanTversky,
  type Objective,
} from '../index.js';
import { expectLosses, expectWeights, fileOf, modelOf, type Tensors } from './steps.cases.js';

type Table = Tensors[string];

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

/** Chats, whose labels are what the assistant says. */
const chats = (b: Tensors) => {
  const { shape, data } = b.labels!;
  const said = { shape, data: data.map((label) => (label === ignoredTarget ? 0 : 1)) };
  return nextTokens(stacked([b.input_ids!]), stacked([said]));
};
const pairs = (b: Tensors) => ({
  ...nextTokens(stacked([b.input_ids!]), stacked([b.completion_mask!])),
  reference: Float32Array.from([...b.ref_chosen_logps!.data, ...b.ref_rejected_logps!.data]),
});
const judged = (b: Tensors) => ({
  ...nextTokens(
    stacked([b.input_ids!, b.KL_input_ids!]),
    stacked([b.completion_mask!, b.KL_completion_mask!]),
  ),
  reference: Float32Array.from([...b.ref_logps!.data, ...b.ref_KL_logps!.data]),
  desirable: Int32Array.from((b.label!.data ?? b.label) as ArrayLike<number>),
});
function groups(b: Tensors) {
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
    (b: Tensors) => ExampleBatch,
  ]
> = {
  SFT: [causalLanguageModel, chats],
  LoRA: [causalLanguageModel, chats],
  DoRA: [causalLanguageModel, chats],
  DPO: [directPreference, pairs],
  IPO: [identityPreference, pairs],
  KTO: [kahnemanTversky, judged],
  GRPO: [groupRelativePolicy, groups],
};

describeBackends('twenty steps', (backend) => {
  const chosen = backend === 'webgpu' ? ['DPO', 'DoRA'] : ['DPO'];
  const few = cases(
    golden.cases,
    ({ objective }) => backend === 'cpu' || chosen.includes(objective),
  );
  for (const { objective: name, options, batches, ...steps } of few) {
    test(`of ${name} on GPT-2 make the losses and the weights of TRL`, async () => {
      const model = await modelOf(steps);
      const lora = /LoRA|DoRA/.test(name)
        ? await loadAdapter(fileOf(name.toLowerCase()), model)
        : undefined;
      const network = new AdaptedModel(model.network as LanguageModel, lora);
      const params = (lora ?? model).params.named();
      const [objectiveOf, batchOf] = objectives[name]!;
      // Hugging Face's trainer decays all but biases and norms, DoRA's magnitudes too.
      const weightDecay = (path: string, { rank }: tf.Variable) =>
        rank >= 2 || path.endsWith('.loraMagnitude') ? 0.01 : 0;
      const optimizer = new AdamW(params, { weightDecay });
      await expectLosses(steps, {
        params,
        objective: objectiveOf(network, options as Record<string, number>),
        optimizer,
        rate: golden.rate,
        batchOf: (step) => batchOf(batches[step] as unknown as Tensors),
        // The losses of GRPO are sums of terms of about 1 that cancel: what is left of them is compared on their scale.
        least: name === 'GRPO' ? 0.1 : 0,
      });
      await expectWeights(steps, params, { adapted: lora && model });
      optimizer.dispose();
      lora?.params.dispose();
      model.params.dispose();
    });
  }
});
