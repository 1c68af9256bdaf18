import { createModel } from '@headwise/models';
import { trainByteLevelBpe, trainCharacter } from '@headwise/tokenizers';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { prepareData } from './data.js';
import { parseFinetuneConfig } from './finetune/config.js';
import { prepareFinetune } from './finetune/prepare.js';
import type { Masking } from './masking.js';
import { Memory, trainOn } from './memory.cases.js';
import { newWork } from './new-work.js';
import { parseRunConfig } from './parse-run-config.js';
import { planRun } from './plan-run.js';

const words = ['whalebone', 'harpooneer', 'quarterdeck', 'spermaceti', 'leviathan'];
const subjects = words.map((word) => word[0]!.toUpperCase() + word.slice(1));
const text = Array.from({ length: 60 }, (_, i) =>
  [0, 1, 2]
    .map((n) => `${subjects[(i + n) % 5]} saw ${words[(i * 3 + n) % 5]} ${words[(i + 2 * n) % 5]}.`)
    .join(' '),
).join('\n\n');

const bert = {
  ...{ model_type: 'bert', hidden_size: 16, intermediate_size: 32, num_hidden_layers: 1 },
  ...{ num_attention_heads: 2, max_position_embeddings: 64 },
};
const architectures = {
  'masked-lm': ['BertForMaskedLM'],
  'next-sentence': ['BertForPreTraining'],
  'sentence-order': ['BertForPreTraining'],
} as const;
type Masked = keyof typeof architectures;

const run = (objective: Masked, data: object, more: object = {}) =>
  parseRunConfig({
    objective,
    model: { config: { ...bert, architectures: architectures[objective] }, context: 48 },
    tokenizer: { kind: 'byte-bpe', vocabSize: 290 },
    data: { corpus: 'a.txt', ...data },
    training: { steps: 4, batchSize: 8, learningRate: 0.01 },
    ...more,
  });

interface MaskedBatch {
  inputs: Int32Array;
  targets: Int32Array;
  shape: readonly [number, number];
}

/** The rows of a batch: what was there, and which of it is predicted. */
function rowsOf({ inputs, targets, shape: [rows, length] }: MaskedBatch) {
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length }, (_, i) => {
      const target = targets[row * length + i]!;
      return { id: target === -100 ? inputs[row * length + i]! : target, chosen: target !== -100 };
    }),
  );
}

const objectives = Object.keys(architectures) as Masked[];

test.each(objectives)(
  '%s: words and spans are masked whole, and are planned',
  async (objective) => {
    for (const masking of ['whole-word', 'span'] as const) {
      const config = run(objective, { masking });
      const data = await prepareData(config, { text });
      const { tokenizer } = data;
      const plan = await planRun(config, tokenizer);
      expect(plan.peak).toBeGreaterThan(plan.weights);
      const { numTensors } = tf.memory();
      const work = newWork(config, data);
      let [cut, longer] = [0, 0];
      for (let step = 0; step < 20; step++) {
        const batch = (await work.batches.at(step)) as unknown as MaskedBatch;
        for (const row of rowsOf(batch)) {
          expect(row.some(({ chosen }) => chosen)).toBe(true);
          for (const [i, { id, chosen }] of row.entries()) {
            const before = row[i - 1];
            // A word begins with its blank or, at the start of a sentence, with a capital.
            const goesOn = before && /^[a-z]+$/.test(tokenizer.decode([id]));
            if (!goesOn || !/[a-z]$/i.test(tokenizer.decode([before.id]))) continue;
            if (chosen !== before.chosen) cut++;
            else if (chosen) longer++;
          }
        }
      }
      expect(cut, masking).toBe(0);
      expect(longer, masking).toBeGreaterThan(20);
      const measured = await work.measure!({});
      expect(measured!.loss).toBeGreaterThan(1);
      work.optimizer.dispose();
      work.model.params.dispose();
      expect(tf.memory().numTensors).toBe(numTensors);
    }
  },
);

test('single tokens are masked by default, which cuts words', async () => {
  const config = run('masked-lm', {});
  const data = await prepareData(config, { text });
  const work = newWork(config, data);
  const explicit = newWork(run('masked-lm', { masking: 'token' }), data);
  expect(await work.batches.at(3)).toEqual(await explicit.batches.at(3));
  const word = newWork(run('masked-lm', { masking: 'whole-word' }), {
    ...(await prepareData(run('masked-lm', { masking: 'whole-word' }), { text })),
  });
  expect(await word.batches.at(3)).not.toEqual(await work.batches.at(3));
  for (const { optimizer, model } of [work, explicit, word]) {
    optimizer.dispose();
    model.params.dispose();
  }
});

test('a run that masks words, interrupted, makes the losses of one that is not, to the bit', async () => {
  const config = run('next-sentence', { masking: 'whole-word' });
  const straight = await trainOn(text, config);
  const broken = await trainOn(text, config, { storage: new Memory(), most: 2 });
  expect(broken.losses).toHaveLength(2);
  const resumed = await trainOn(text, config, { storage: broken });
  expect(resumed.losses).toEqual(straight.losses);
  expect(resumed.validations).toEqual(straight.validations);
});

const examples = {
  format: 'text',
  examples: words.map((word) => ({ text: `the ${word} ${word}` })),
  places: words.map((_, n) => n + 1),
} as const;

/** The first batch of `mlm` by a tokenizer. */
async function finetuned(
  masking: Masking,
  tokenizer: Awaited<ReturnType<typeof trainCharacter>>,
): Promise<MaskedBatch> {
  const model = createModel({
    ...bert,
    architectures: ['BertForMaskedLM'],
    vocab_size: tokenizer.vocabSize,
  });
  try {
    const config = parseFinetuneConfig({ method: 'mlm', data: { masking, validation: 0 } });
    const { batches } = await prepareFinetune(config, { examples, tokenizer }, model);
    return batches.at(0) as unknown as MaskedBatch;
  } finally {
    model.params.dispose();
  }
}

test('fine-tuning masks words and spans whole too', async () => {
  const specialTokens = ['[PAD]', '[MASK]'];
  const tokenizer = await trainByteLevelBpe([text], { vocabSize: 290, specialTokens });
  for (const masking of ['whole-word', 'span'] as const) {
    for (const row of rowsOf(await finetuned(masking, tokenizer))) {
      const seen = row.filter(({ id }) => id > 1);
      expect(seen.some(({ chosen }) => chosen)).toBe(true);
      const wrong = seen.filter(({ id, chosen }, i) => {
        const before = seen[i - 1];
        return before && !/^ /.test(tokenizer.decode([id])) && chosen !== before.chosen;
      });
      expect(wrong, masking).toEqual([]);
    }
  }
  const [single] = [await finetuned('token', tokenizer)];
  expect(single.targets).not.toEqual((await finetuned('whole-word', tokenizer)).targets);
});

test('what cannot be masked is refused by name', async () => {
  const characters = await trainCharacter(['abcdefghijklmnopqrstuvwxyz '], {
    specialTokens: ['[PAD]', '[MASK]'],
  });
  await expect(finetuned('whole-word', characters)).rejects.toThrow(
    "mlm: 'data.masking' is 'whole-word' and the tokenizer has no marks of words",
  );
  expect(() => parseFinetuneConfig({ method: 'sft', data: { masking: 'span' } })).toThrow(
    "finetune: unknown key 'data.masking'",
  );
  expect(() => parseFinetuneConfig({ method: 'mlm', data: { masking: 'word' } })).toThrow(
    `finetune: 'data.masking' is "word"`,
  );
  expect(() => run('masked-lm', { masking: 'words' })).toThrow(`'data.masking' is "words"`);
  expect(() => run('masked-lm', { masking: 'span' }, { tokenizer: { kind: 'character' } })).toThrow(
    "'data.masking' is 'span' and 'tokenizer.kind' 'character', which has no marks of words; expected 'byte-bpe'",
  );
  expect(() => run('masked-lm', { masking: 'span' }, { objective: 'causal-lm' })).toThrow(
    "'data.masking' is 'span' and 'objective' 'causal-lm'; tokens are masked for 'masked-lm', 'next-sentence' and 'sentence-order'",
  );
  // A run that has its tokenizer already.
  const given = { bytes: new TextEncoder().encode(JSON.stringify(characters)), name: 'there' };
  await expect(
    prepareData(run('masked-lm', { masking: 'span' }), { text, tokenizer: given }),
  ).rejects.toThrow("'data.masking' is 'span' and the tokenizer has no marks of words");
});
