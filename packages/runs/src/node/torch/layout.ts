import { parseWith } from '@headwise/models/internal';
import { z } from 'zod';
import { runFileNames } from '../../run-files.js';

/** The names of the files that PyTorch reads and writes beside the model. */
export const torchFileNames = {
  run: 'trainer/torch.json',
  moments: 'trainer/optimizer.safetensors',
  tokens: 'trainer/tokens.bin',
  script: 'train.py',
} as const;

/** The files that come back as they went out. */
export const carried: readonly string[] = [
  runFileNames.config,
  runFileNames.corpus,
  runFileNames.tokenizer,
  runFileNames.generation,
];

/** AdamW's moments: our slots, and PyTorch's. */
export const slots = [
  ['m', 'exp_avg'],
  ['v', 'exp_avg_sq'],
] as const;

const whole = z.number().int().min(0);

/** What `trainer/torch.json` says of where the run stands. */
export interface TorchRun {
  format: 'headwise-torch-1';
  /** Steps made. */
  step: number;
  /** Updates that AdamW made. */
  updates: number;
  /** Steps in all. */
  steps: number;
  /** The state of the generator of dropout. */
  random: [number, number, number, number];
}

const schema: z.ZodType<TorchRun> = z.looseObject({
  format: z.literal('headwise-torch-1'),
  step: whole,
  updates: whole,
  steps: whole.min(1),
  random: z.tuple([whole, whole, whole, whole]),
});

/**
 * Reads `trainer/torch.json`.
 *
 * @throws InputError with a line a problem
 */
export function parseTorchRun(json: unknown, name: string): TorchRun {
  return parseWith(schema, json, name);
}
