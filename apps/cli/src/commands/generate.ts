import { InputError, isEncoderDecoder } from '@headwise/core';
import { checkedSampling } from '@headwise/kernels/internal';
import { load, streamText } from '@headwise/text/node';
import { Command } from 'commander';
import { checkAdapterFolder, withAdapter } from '../adapter.js';
import { backendOption, start } from '../backend.js';
import { addGenerationFlags, type GenerationFlags } from '../generation-flags.js';
import { checkModelFolder } from '../model-folder.js';
import { output } from '../output.js';
import { readStandardInput, readText } from '../read-text.js';
import { printed } from '../terminal-text.js';

interface GenerateCommandOptions extends GenerationFlags {
  prompt?: string;
  promptFile?: string;
  sourceLanguage?: string;
  targetLanguage?: string;
  stream?: boolean;
  json?: boolean;
}

/** `headwise generate`: continues a text with a model. */
export function generateCommand(): Command {
  const command = new Command('generate')
    .requiredOption('--model <dir>', 'a model folder or a GGUF file')
    .option('--prompt <text>', 'what to continue')
    .option('--prompt-file <path>', 'a file with what to continue; without either, standard input')
    .option('--source-language <token>', "of the prompt, as the tokenizer's token: fra_Latn, fr_XX")
    .option('--target-language <token>', 'of what a model of several languages writes')
    .option('--stream', 'print every token as it comes');
  return addGenerationFlags(command, 64)
    .option('--json', 'print JSON: prompt, text, ids; with --stream one line a token')
    .addHelpText(
      'after',
      '\nOptions default to generation_config.json; generation ends at its eos_token_id.',
    )
    .action(async (options: GenerateCommandOptions) => {
      const out = output(options.json ?? false);
      const { prompt, promptFile, model, adapter, dtype, generationConfig, stream, ...others } =
        options;
      const { backend: named, json: _, sourceLanguage, targetLanguage, ...chosen } = others;
      const languages = { source: sourceLanguage, target: targetLanguage };
      const backend = backendOption(named);
      const given = await promptOf(prompt, promptFile);
      checkedSampling(chosen);
      await checkModelFolder(model);
      if (adapter !== undefined) await checkAdapterFolder(adapter);
      await start(out, backend);
      const { model: bare, tokenizer } = await load(model, {
        dtype,
        ignoreGenerationConfig: !generationConfig,
        warn: out.note,
      });
      const loaded = adapter === undefined ? bare : await withAdapter(bare, adapter);
      const ids: number[] = [];
      let continuation = '';
      // An encoder-decoder does not continue the prompt: it writes a text of its own.
      const before = isEncoderDecoder(loaded.network) ? '' : given;
      if (stream && !out.json) process.stdout.write(before);
      for await (const piece of streamText(loaded, tokenizer, given, { ...chosen, languages })) {
        const { id, text } = piece;
        if (id !== undefined) ids.push(id);
        continuation += text;
        if (!stream) continue;
        out.emit(id === undefined ? { text } : piece);
        if (!out.json) process.stdout.write(printed(text));
      }
      loaded.params.dispose();
      if (stream) out.say('');
      else {
        out.say(before + printed(continuation));
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
