import type { GenerateOptions } from '@headwise/generation';
import type { WeightDtype } from '@headwise/models';
import type { Command } from 'commander';
import { integer, number } from './numbers.js';
import { dtypeOption } from './weights.js';

/** A model folder, and what `addGenerationFlags` reads. */
export interface GenerationFlags extends GenerateOptions {
  model: string;
  adapter?: string;
  generationConfig: boolean;
  dtype?: WeightDtype | undefined;
  backend?: string;
}

/** Adds the options of generation, which win over the folder's `generation_config.json`. */
export function addGenerationFlags(command: Command, maxNewTokens: number): Command {
  return command
    .option('--adapter <dir>', 'a LoRA adapter in the layout of PEFT')
    .option('--max-new-tokens <n>', `how many tokens at most; default ${maxNewTokens}`, integer)
    .option('--min-new-tokens <n>', 'how many tokens before an end token may come', integer)
    .option('--temperature <t>', '0 is greedy; below 1 sharpens the distribution', number)
    .option('--top-k <k>', 'draw from the k most likely tokens', integer)
    .option(
      '--top-p <p>',
      'draw from the most likely tokens that together have this probability',
      number,
    )
    .option(
      '--min-p <p>',
      'draw from tokens at least this many times as likely as the likeliest',
      number,
    )
    .option('--repetition-penalty <x>', 'above 1, tokens that occurred become less likely', number)
    .option('--seed <n>', 'the same seed gives the same text', integer, 0)
    .option('--no-generation-config', "leave the folder's generation_config.json aside")
    .addOption(dtypeOption())
    .option('--backend <name>', 'webgpu, wasm or cpu; an error where it cannot be had');
}
