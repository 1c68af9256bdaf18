import { Random } from '@headwise/core';
import { type CountedTokens, countedTokens, learnSpans } from '@headwise/data';
import { createModel, languageModel } from '@headwise/models';
import { cases, describeOn } from '@headwise/testing';
import { trainByteLevelBpe } from '@headwise/tokenizers';
import { causalLanguageModel, Muon, train, warmupLinear } from '@headwise/training';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import {
  defineTrialPrompt,
  localModel,
  planTrial,
  runTrial,
  type TrialRecord,
  trialReport,
} from '../index.js';

// Words without a meaning: only the examples of a prompt say which are labelled how.
const words = ['blick', 'dax', 'fep', 'gorp'];
const labels = ['yes', 'no'];
const prompt = defineTrialPrompt({
  name: 'rule',
  question: '{{word}}',
  answer: ' {{label}}',
  separator: '\n',
  slots: { label: { oneOf: labels } },
});

interface Labelled {
  readonly word: string;
  readonly label: string;
}

/** A rule labels two words. */
const pairs = words.flatMap((a, i) => words.slice(i + 1).map((b) => [a, b] as const));

/** Eight examples and a question of one rule, whose words and labels are drawn anew each time. */
function episodes(random: Random, count: number): Labelled[][] {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random.next() * list.length)]!;
  return Array.from({ length: count }, () => {
    const rule = pick(pairs).map((word) => ({ word, label: pick(labels) }));
    return Array.from({ length: 9 }, () => pick(rule));
  });
}

const tokenizer = await trainByteLevelBpe(
  [words.map((word) => labels.map((label) => `${word} ${label}\n`.repeat(9)).join('')).join('')],
  { vocabSize: 320 },
);

/** A prompt and its answer; every label is predicted, from the examples before it. */
function encoded(episode: readonly Labelled[]): CountedTokens {
  const { question, answer } = prompt.task;
  let text = '';
  const spans = episode.map(({ word, label }, n) => {
    text += (n > 0 ? '\n' : '') + question.write({ word });
    const start = text.length;
    text += answer.write({ label });
    return [start, text.length] as const;
  });
  return learnSpans(tokenizer.encode(text), spans);
}

async function taught(seed: number) {
  const sizes = { n_positions: 32, n_embd: 32, n_layer: 2, n_head: 4, n_inner: 64 };
  const dropout = { embd_pdrop: 0, attn_pdrop: 0, resid_pdrop: 0 };
  const config = { model_type: 'gpt2', vocab_size: tokenizer.vocabSize, ...sizes, ...dropout };
  const model = languageModel(createModel(config, { seed }));
  const params = model.params.named();
  const optimizer = new Muon(params, { weightDecay: 0, adamw: { rate: 0.3 } });
  const collate = countedTokens();
  const steps = 200;
  const run = train({
    ...{ params, optimizer, steps },
    objective: causalLanguageModel(model.network),
    schedule: warmupLinear({ peak: 0.05, warmupSteps: steps / 10, totalSteps: steps }),
    batches: {
      at: (number) => collate(episodes(new Random(seed * 2 ** 20 + number), 32).map(encoded)),
    },
  });
  for await (const _ of run);
  optimizer.dispose();
  return model;
}

/** The trial's records, of 100 prompts that were not trained on. */
async function tried(model: ReturnType<typeof localModel>): Promise<TrialRecord[]> {
  const asked = episodes(new Random(0), 100);
  const examples = asked.flatMap((episode, n) =>
    episode.map((values, i) => ({ id: `${n}.${i}`, values: { ...values }, group: `rule ${n}` })),
  );
  const plan = planTrial({
    prompts: [prompt],
    examples: examples.filter(({ id }) => id.endsWith('.8')),
    pool: examples.filter(({ id }) => !id.endsWith('.8')),
    shots: [0, 1, 4, 8],
    batch: 100,
  });
  const records: TrialRecord[] = [];
  for await (const part of runTrial(model, plan)) records.push(...part.records);
  return records;
}

describeOn(
  'wasm',
  'a model that is trained on prompts with a rule each learns the rule of a new prompt in context',
  () => {
    test.each(cases([1, 2, 3, 4, 5], (seed) => seed === 1))(
      'by chance without examples, nine of ten with eight, and intervals that do not overlap; seed %s',
      async (seed) => {
        const before = tf.memory().numTensors;
        const trained = await taught(seed);
        const records = await tried(localModel({ model: trained, tokenizer }));
        trained.params.dispose();
        expect(tf.memory().numTensors).toBe(before);
        const { conditions, comparisons } = trialReport(records, { seed: 1 });
        expect(conditions.map(({ condition }) => condition)).toEqual(
          ['0 shots', '1 shot', '4 shots', '8 shots'].map((shots) => `rule, ${shots}`),
        );
        const [none, one, , eight] = conditions;
        expect(none!.low).toBeLessThan(0.5);
        expect(none!.high).toBeGreaterThan(0.5);
        expect(eight!.accuracy).toBeGreaterThanOrEqual(0.9);
        expect(eight!.low).toBeGreaterThan(none!.high);
        expect(eight!.accuracy).toBeGreaterThan(one!.accuracy);
        const compared = comparisons.find(
          ({ first, second }) => first === none!.condition && second === eight!.condition,
        );
        expect(compared!.adjusted).toBeLessThan(0.001);
      },
      900_000,
    );
  },
);
