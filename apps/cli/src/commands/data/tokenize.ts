import { tokenizeDocuments } from '@headwise/data/node';
import { loadTokenizer } from '@headwise/tokenizers/node';
import { Command } from 'commander';
import { type RunOptions, showRun, withRunOptions } from './run.js';

interface Options extends RunOptions {
  tokenizer: string;
  out: string;
  end?: string;
}

/** `headwise data tokenize`: documents as shards of tokens. */
export function tokenizeDataCommand(): Command {
  const command = new Command('tokenize')
    .description('write documents as shards of tokens, which train reads')
    .argument('<inputs...>', 'files of JSON lines with a "text", plain or gzip, or folders of them')
    .requiredOption('--tokenizer <path>', 'a tokenizer.json, or a folder that holds one')
    .requiredOption('--out <folder>', 'where shards.json, shards/ and tokenizer.json are written')
    .option('--end <token>', 'put after each document, such as "<|endoftext|>"; default none')
    .addHelpText('after', '\nA run that was killed goes on when called again.')
    .action(async (inputs: string[], { tokenizer, out, end, ...options }: Options) => {
      const loaded = await loadTokenizer(tokenizer);
      await showRun(
        options,
        (onProgress) =>
          tokenizeDocuments(inputs, out, {
            tokenizer: loaded,
            end,
            workers: options.workers,
            onProgress,
          }),
        ({ documents, tokens, bytes, empty, shards }) => [
          `documents  ${documents}${empty > 0 ? `, and ${empty} without a token left out` : ''}`,
          `tokens     ${tokens}, ${(bytes / tokens).toFixed(2)} bytes each`,
          `${out}: shards.json, ${shards} ${shards === 1 ? 'shard' : 'shards'}, tokenizer.json`,
        ],
      );
    });
  return withRunOptions(command);
}
