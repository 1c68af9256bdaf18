import { generate } from '@headwise/generation';
import { checkedSampling } from '@headwise/kernels';
import { languageModel } from '@headwise/models';
import { loadModel } from '@headwise/models/node';
import { loadTokenizer } from '@headwise/tokenizers/node';
import { Command } from 'commander';
import { backendOption, start } from '../backend.js';
import { checkModelFolder, checkVocabulary, readSamplingDefaults } from '../model-folder.js';
import { integer, number } from '../numbers.js';
import { output } from '../output.js';

interface GenerateCommandOptions {
  model: string;
  prompt: string;
  maxNewTokens: number;
  temperature?: number;
  topK?: number;
  topP?: number;
  seed: number;
  stream?: boolean;
  backend?: string;
  json?: boolean;
}

/** `headwise generate`: continues a text with a model. */
export function generateCommand(): Command {
  return new Command('generate')
    .description('continue a text')
    .requiredOption('--model <dir>', 'a model folder')
    .requiredOption('--prompt <text>', 'what to continue')
    .option('--max-new-tokens <n>', 'how many tokens at most', integer, 64)
    .option('--temperature <t>', '0 takes the best token; above 1 is bolder', number)
    .option('--top-k <k>', 'draw from the k best tokens only', integer)
    .option('--top-p <p>', 'draw from the best tokens with this probability together', number)
    .option('--seed <n>', 'the same seed gives the same text', integer, 0)
    .option('--stream', 'print every token as it comes')
    .option('--backend <name>', 'webgpu, wasm or cpu; an error where it cannot be had')
    .option('--json', 'print JSON: prompt, text, ids; with --stream one line a token')
    .addHelpText(
      'after',
      '\nHow to sample comes from generation_config.json where no option says it.',
    )
    .action(async (options: GenerateCommandOptions) => {
      const out = output(options.json ?? false);
      const backend = backendOption(options.backend);
      const tokenizer = await loadTokenizer(options.model);
      const { prompt: _, model: __, stream, ...given } = options;
      const sampling = { ...(await readSamplingDefaults(options.model)), ...given };
      checkedSampling(sampling);
      await checkModelFolder(options.model);
      await start(out, backend);
      const { network, params } = languageModel(await loadModel(options.model));
      checkVocabulary(options.model, tokenizer, network);
      const prompt = tokenizer.encode(options.prompt).ids;
      const decoder = tokenizer.decodeStream();
      const ids: number[] = [];
      let text = '';
      const add = (piece: string, id?: number) => {
        text += piece;
        if (!stream) return;
        out.emit(id === undefined ? { text: piece } : { id, text: piece });
        if (!out.json) process.stdout.write(piece);
      };
      if (stream && !out.json) process.stdout.write(options.prompt);
      for await (const id of generate(network, prompt, sampling)) {
        ids.push(id);
        add(decoder.push(id), id);
      }
      const rest = decoder.end();
      if (rest !== '') add(rest);
      params.dispose();
      if (stream) out.say('');
      else {
        out.say(options.prompt + text);
        out.emit({ prompt: options.prompt, text, ids });
      }
    });
}
