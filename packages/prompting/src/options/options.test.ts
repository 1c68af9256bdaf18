import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createModel, languageModel } from '@headwise/models';
import { cases } from '@headwise/testing';
import { load } from '@headwise/text/node';
import { trainBertWordPiece } from '@headwise/tokenizers';
import * as tf from '@tensorflow/tfjs';
import { afterAll, describe, expect, test } from 'vitest';
import golden from '../goldens/options.json' with { type: 'json' };
import {
  calibrated,
  chooseOptions,
  defineTask,
  localModel,
  type Normalization,
  optionProbabilities,
  scoreOptions,
} from '../index.js';

const goldens = fileURLToPath(new URL('../goldens', import.meta.url));
const questions = readFileSync(`${goldens}/questions.jsonl`, 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as { question: string; options: string[]; answer: number });
const task = defineTask({
  name: 'kinds',
  question: 'Question: {{question}}\nAnswer:',
  answer: ' {{answer}}',
});

/** The harness' names of what we call by what it divides by. */
const normalizations = { acc: 'sum', acc_norm: 'characters', acc_bytes: 'bytes' } as const;

for (const { model: name, pairs, runs } of golden.cases) {
  describe(`${name}: option scores are those of lm-evaluation-harness`, async () => {
    const loaded = await load(`${goldens}/${name}`);
    const model = localModel(loaded);
    afterAll(() => loaded.model.params.dispose());

    test('of contexts and continuations whose bound is not that of tokens', async () => {
      const before = tf.memory().numTensors;
      const requests = pairs.map(([prompt, text]) => ({ prompt, continuations: [text] }) as never);
      const scores = await model.score(requests);
      for (const [n, [, , log, greedy]] of pairs.entries()) {
        expect(Math.abs(scores[n]![0]!.logProbability - (log as number))).toBeLessThan(1e-4);
        expect(scores[n]![0]!.isGreedy).toBe(greedy);
      }
      expect(tf.memory().numTensors).toBe(before);
    });

    // The backend of unit tests takes minutes for all.
    const sizes = runs.flatMap((run) => [6, 200].map((count) => ({ ...run, count })));
    test.each(cases(sizes, ({ count }) => count < 200))(
      'of $count questions with $shots examples; accuracy to the example',
      async ({ count, ...run }) => {
        const shown = questions.slice(0, run.shots).map(({ question, options, answer }) => ({
          question,
          answer: options[answer]!,
        }));
        const prompt = task.withExamples(shown);
        const asked = questions.slice(0, count).map(({ question, options }, n) => ({
          prompt: prompt.write({ question }, { example: n }),
          options,
        }));
        expect(asked.slice(0, run.prompts.length).map((one) => one.prompt)).toEqual(run.prompts);
        const scores = await scoreOptions(model, asked);
        let worst = 0;
        for (const [n, expected] of run.scores.slice(0, count).entries()) {
          for (const [i, [log, greedy]] of expected.entries()) {
            worst = Math.max(worst, Math.abs(scores[n]![i]!.logProbability - (log as number)));
            expect(scores[n]![i]!.isGreedy).toBe(greedy);
          }
        }
        expect(worst).toBeLessThan(1e-4);
        for (const [metric, normalization] of Object.entries(normalizations)) {
          const right = scores.map((own, n) => {
            const probabilities = optionProbabilities(own, normalization as Normalization);
            const best = probabilities.indexOf(Math.max(...probabilities));
            return Number(best === questions[n]!.answer);
          });
          const expected = run.right[metric as keyof typeof run.right];
          expect(right, metric).toEqual(expected.slice(0, count));
          if (count < 200) continue;
          const share = right.reduce((sum, one) => sum + one, 0) / right.length;
          expect(share).toBeCloseTo(run.metrics[metric as keyof typeof run.metrics], 10);
        }
      },
      300_000,
    );
  });
}

describe('options', async () => {
  const loaded = await load(`${goldens}/gpt2`);
  const model = localModel(loaded);
  afterAll(() => loaded.model.params.dispose());
  const ask = (options: string[], more = {}) =>
    chooseOptions(
      model,
      [{ prompt: 'The Work is', options, place: "prompt 'p', example 3" }],
      more,
    );

  test('that share a first token are told apart by the others', async () => {
    const options = ['a Derivative Work', 'a Derivative Contribution'];
    const [{ scores, probabilities, option, index }] = (await ask(options)) as never as [
      Awaited<ReturnType<typeof ask>>[number],
    ];
    expect(scores[0]!.tokens[0]).toBe(scores[1]!.tokens[0]);
    const ratio = Math.exp(scores[0]!.logProbability - scores[1]!.logProbability);
    expect(probabilities[0]! / probabilities[1]!).toBeCloseTo(ratio, 6);
    expect(option).toBe(options[index]);
    expect(probabilities[index]).toBeGreaterThan(0.5);
  });

  test('of the same tokens, that begin others, that are empty, one or the same twice are refused by name', async () => {
    await expect(ask(['Work', 'Work, Inc'])).rejects.toThrow(
      "prompt 'p', example 3: the tokens of option 'Work' begin those of 'Work, Inc', whose sum is never greater; give an end, such as a line end, or another normalization",
    );
    await expect(ask(['Work', 'Work, Inc'], { end: '\n' })).resolves.toHaveLength(1);
    await expect(ask(['Work', 'Work, Inc'], { normalization: 'mean' })).resolves.toHaveLength(1);
    await expect(ask(['a'])).rejects.toThrow(
      "prompt 'p', example 3: has 1 options; expected at least two",
    );
    await expect(ask(['a', ''])).rejects.toThrow('option 1 is empty; expected a text');
    await expect(ask(['a', 'b', 'a'])).rejects.toThrow(
      "option 'a' is given twice; expected each once",
    );
    await expect(ask(['a', 'b'], { normalization: 'median' })).rejects.toThrow(
      "normalization is 'median'",
    );
    await expect(ask(['a'.repeat(600), 'b'])).rejects.toThrow(
      /prompt 'p', example 3: has \d+ tokens, and ' a+' \d+; the model's context holds 256 before the last/,
    );
    await expect(
      scoreOptions(model, [{ prompt: '', options: ['a', 'b'], place: 'it' }]),
    ).rejects.toThrow("it: has no token before ' a'; expected at least one");
  });

  test('that the tokenizer reads alike are refused by the names of prompt and example', async () => {
    const lowercase = await trainBertWordPiece(['is it positive or negative'], { vocabSize: 60 });
    const sizes = { vocab_size: lowercase.vocabSize, n_embd: 8, n_layer: 1, n_head: 1 };
    const read = createModel({ model_type: 'gpt2', ...sizes }, { seed: 1 });
    const reads = localModel({ model: languageModel(read), tokenizer: lowercase });
    const place = "prompt 'p', example 3";
    await expect(
      scoreOptions(reads, [{ prompt: 'It is', options: ['Positive', 'positive'], place }]),
    ).rejects.toThrow(
      /^prompt 'p', example 3: options 'Positive' and 'positive' have the same tokens \[/,
    );
    read.params.dispose();
  });

  test('calibration divides out what is preferred without content', async () => {
    const options = ['Positive', 'Negative'];
    const prompt = (review: string) => `Review: ${review}\nSentiment:`;
    const question = { prompt: prompt('A license.'), options };
    const [plain, empty] = await chooseOptions(model, [
      question,
      { ...question, prompt: prompt('N/A') },
    ]);
    const [choice] = await chooseOptions(model, [question], { contentFree: () => [prompt('N/A')] });
    expect(choice!.probabilities).toEqual(
      calibrated(plain!.probabilities, [empty!.probabilities]).map((p) => expect.closeTo(p, 6)),
    );
    expect(choice!.scores[0]!.logProbability).toBeCloseTo(plain!.scores[0]!.logProbability, 5);
    const [itself] = await chooseOptions(model, [question], {
      contentFree: () => [question.prompt],
    });
    expect(itself!.probabilities).toEqual([expect.closeTo(0.5, 6), expect.closeTo(0.5, 6)]);
  });
});

test('contextual calibration, by hand', () => {
  // 0.6 / 0.8 : 0.4 / 0.2 = 0.75 : 2 = 3 : 8.
  expect(calibrated([0.6, 0.4], [[0.8, 0.2]])).toEqual([
    expect.closeTo(3 / 11),
    expect.closeTo(8 / 11),
  ]);
  // The mean of two inputs without content is [0.5, 0.5], which changes nothing.
  expect(
    calibrated(
      [0.6, 0.4],
      [
        [0.8, 0.2],
        [0.2, 0.8],
      ],
    ),
  ).toEqual([expect.closeTo(0.6), expect.closeTo(0.4)]);
  expect(() => calibrated([0.6, 0.4], [])).toThrow('there is no input without content');
  expect(() => calibrated([0.6, 0.4], [[1]])).toThrow('has 1 options; expected 2');
});

test('normalisations, by hand', () => {
  const score = (option: string, tokens: number, logProbability: number) => ({
    option,
    tokens: Array.from({ length: tokens }, (_, i) => i),
    promptTokens: 1,
    logProbability,
    isGreedy: false,
  });
  // One token of 2 bytes in 1 character, and three tokens of 4 bytes.
  const scores = [score('é', 1, -4), score('four', 3, -6)];
  const odds = (normalization: Normalization) => {
    const [a, b] = optionProbabilities(scores, normalization);
    return Math.log(a! / b!);
  };
  expect(odds('sum')).toBeCloseTo(2);
  expect(odds('mean')).toBeCloseTo(-2);
  expect(odds('bytes')).toBeCloseTo(-0.5);
  expect(odds('characters')).toBeCloseTo(-2.5);
});
