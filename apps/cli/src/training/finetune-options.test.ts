import { parseFinetuneConfig } from '@headwise/runs';
import { Command } from 'commander';
import { expect, test } from 'vitest';
import { addFinetuneFlags, type FinetuneFlags, settingsOf } from './finetune-options.js';

/** What a run is set to by the flags of a command line. */
function configOf(method: FinetuneFlags['method'], ...flags: string[]) {
  const command = addFinetuneFlags(new Command()).exitOverride();
  command.parse(flags, { from: 'user' });
  return parseFinetuneConfig(settingsOf({ ...command.opts<FinetuneFlags>(), method }));
}

test('without flags a run has its method’s defaults', () => {
  for (const method of ['sft', 'qlora', 'mlm', 'seq2seq'] as const) {
    expect(configOf(method)).toEqual(parseFinetuneConfig({ method }));
  }
});

test('each flag of what is read and predicted sets its key', () => {
  expect(configOf('sft', '--packing', 'best-fit', '--max-length', '64').data).toMatchObject({
    packing: 'best-fit',
    maxLength: 64,
  });
  expect(configOf('sft', '--packing', 'none')).toEqual(configOf('sft'));
  expect(configOf('mlm', '--masking', 'whole-word').data.masking).toBe('whole-word');
  expect(configOf('seq2seq', '--scheduled-sampling', '0.25').training.scheduledSampling).toEqual({
    schedule: 'linear',
    from: 0,
    to: 0.25,
  });
});

test.each([
  ['dpo', ['--packing', 'best-fit'], "unknown key 'data.packing'"],
  ['lora', ['--packing', 'first-fit'], `'data.packing' is "first-fit"`],
  ['lora', ['--packing', 'best-fit', '--batch-tokens', '64'], "'training.batchTokens' 64"],
  ['mlm', ['--masking', 'word'], `'data.masking' is "word"`],
  ['sft', ['--masking', 'span'], "unknown key 'data.masking'"],
  ['seq2seq', ['--scheduled-sampling', '2'], "'training.scheduledSampling.to' is 2"],
  ['sft', ['--scheduled-sampling', '0.5'], "unknown key 'training.scheduledSampling'"],
] as const)('%s %j is refused by name', (method, flags, message) => {
  expect(() => configOf(method, ...flags)).toThrow(message);
});
