import { prepareData } from '@headwise/runs';
import { describe, expect, test } from 'vitest';
import { parseRunConfig } from '../model/run-config.js';
import { runFileOf } from '../model/run-file.js';
import { checkData } from './check-data.js';

const config = (data: object = {}, context = 16) =>
  parseRunConfig({ data: { source: 'file', file: 'a.txt', ...data }, model: { context } });
const words = (count: number) => Array.from({ length: count }, (_, i) => `word ${i % 7}`).join(' ');

describe('a text that is too short', () => {
  test('is refused, saying what would do', async () => {
    const refused: [string, object, number, string][] = [
      ['', {}, 16, 'the corpus is empty'],
      ['a', {}, 16, 'Take a longer text'],
      ['ab', {}, 16, 'Take a longer text'],
      ['ab', { validation: 0.5 }, 16, 'expected at least 17: a window of 16'],
      [words(40), { tokenizer: 'character' }, 4000, 'expected at least 4001'],
      [
        words(8),
        { tokenizer: 'character', validation: 0.02 },
        8,
        'validation part (validation 0.02): the corpus has 1 tokens',
      ],
    ];
    for (const [text, data, context, message] of refused) {
      await expect(checkData(config(data, context), text), message).rejects.toThrow(message);
    }
  });

  test('is not, where a step and a measurement can be made of it', async () => {
    for (const tokenizer of ['character', 'byte-bpe']) {
      const { batches, validation } = await prepareData(runFileOf(config({ tokenizer }, 8)), {
        text: words(200),
      });
      expect((await batches.at(0)).shape[1]).toBe(8);
      expect([...validation()].length).toBeGreaterThan(0);
    }
  });
});

test('a text that ends in blanks gives no prompt', async () => {
  const { prompts } = await prepareData(runFileOf(config({ tokenizer: 'character' })), {
    text: `${words(90)}${' '.repeat(99)}`,
  });
  expect(prompts).toEqual([]);
});
