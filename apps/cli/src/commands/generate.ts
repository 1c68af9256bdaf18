import { InputError } from '@headwise/core';
import type { GenerateOptions } from '@headwise/generation';
import { checkedSampling } from '@headwise/kernels/internal';
import type { WeightDtype } from '@headwise/models';
import { load, streamText } from '@headwise/text/node';
import { Command } from 'commander';
import { backendOption, start } from '../backend.js';
import { checkModelFolder } from '../model-folder.js';
import { integer, number } from '../numbers.js';
import { output } from '../output.js';
import { readStandardInput, readText } from '../read-text.js';
import { dtypeOption } from '../weights.js';

interface GenerateCommandOptions extends GenerateOptions {
  model: string;
  prompt?: string;
  promptFile?: string;
  generationConfig: boolean;
  stream?: boolean;
  dtype: WeightDtype;
  backend?: string;
  json?: boolean;
}

/** `headwise generate`: continues a text with a model. */
export function generateCommand(): Command {
  return new Command('generate')
    .requiredOption('--model <dir>', 'a model folder')
    .option('--prompt <text>', 'what to continue')
    .option('--prompt-file <path>', 'a file with what to continue; without either, standard input')
    .option('--max-new-tokens <n>', 'how many tokens at most; default 64', integer)
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
    .option('--stream', 'print every token as it comes')
    .addOption(dtypeOption())
    .option('--backend <name>', 'webgpu, wasm or cpu; an error where it cannot be had')
    .option('--json', 'print JSON: prompt, text, ids; with --stream one line a token')
    .addHelpText(
      'after',
      '\nOptions default to generation_config.json; generation ends at its eos_token_id.',
    )
    .action(async (options: GenerateCommandOptions) => {
      const out = output(options.json ?? false);
      const { prompt, promptFile, model, dtype, generationConfig, stream, ...others } = options;
      const { backend: named, json: _, ...chosen } = others;
      const backend = backendOption(named);
      const given = await promptOf(prompt, promptFile);
      checkedSampling(chosen);
      await checkModelFolder(model);
      await start(out, backend);
      const { model: loaded, tokenizer } = await load(model, {
        dtype,
        ignoreGenerationConfig: !generationConfig,
        warn: out.note,
      });
      const ids: number[] = [];
      let continuation = '';
      if (stream && !out.json) process.stdout.write(given);
      for await (const piece of streamText(loaded, tokenizer, given, chosen)) {
        const { id, text } = piece;
        if (id !== undefined) ids.push(id);
        continuation += text;
        if (!stream) continue;
        out.emit(id === undefined ? { text } : piece);
        if (!out.json) process.stdout.write(text);
      }
      loaded.params.dispose();
      if (stream) out.say('');
      else {
        out.say(given + continuation);
        out.emit({ prompt: given, text: continuation, ids });
      }
    });
}

/** The text of `--prompt`, of the file of `--prompt-file`, or of standard input. */
async function promptOf(prompt: string | undefined, file: string | undefined): Promise<string> {
  if (prompt !== undefined && file !== undefined) {
    throw new InputError('--prompt and --prompt-file are given; expected one of them');
  }
  if (prompt !== undefined) return prompt;
  if (file !== undefined && file !== '-') return readText('--prompt-file', file);
  if (file === undefined && process.stdin.isTTY) {
    throw new InputError(
      'the prompt is missing; give --prompt, --prompt-file or a text on standard input',
    );
  }
  return readStandardInput();
}
