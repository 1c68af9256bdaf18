import { InputError } from '@headwise/core';
import { tokenizeDocuments } from '@headwise/data/node';
import { loadTokenizer } from '@headwise/tokenizers/node';
import { Command } from 'commander';
import { endTokenOf } from '../../end-token.js';
import { workOf } from './pipeline.js';
import { type RunOptions, shownPath, showRun, withRunOptions } from './run.js';

interface Options extends RunOptions {
  pipeline?: string;
  tokenizer?: string;
  out?: string;
  end?: string | false;
}

/** `headwise data tokenize`: documents as shards of tokens. */
export function tokenizeDataCommand(): Command {
  const command = new Command('tokenize')
    .description('write documents as shards of tokens, which train reads')
    .argument(
      '[inputs...]',
      'files, folders, globs or addresses of .jsonl, .csv, .txt, .warc (also .gz, .zst) and .parquet',
    )
    .option('--tokenizer <path>', 'a tokenizer.json, or a folder that holds one')
    .option('--out <folder>', 'where shards.json, shards/ and tokenizer.json are written')
    .option('--pipeline <file>', "a pipeline file, whose 'tokenize' says all of it")
    .option(
      '--end <token>',
      'put after each document; default eos_token of tokenizer_config.json, or eos_token_id of config.json',
    )
    .option('--no-end', 'put nothing after a document')
    .addHelpText('after', '\nA run that was killed goes on when called again.')
    .action(async (given: string[], { workers, json, ...flags }: Options) => {
      const { inputs, out, stage } = await workOf('tokenize', given, { ...flags });
      const { tokenizer, end } = stage ?? flags;
      if (tokenizer === undefined) {
        throw new InputError('--tokenizer is missing; expected a tokenizer.json, or its folder');
      }
      const loaded = await loadTokenizer(tokenizer);
      const last = end === false ? undefined : (end ?? (await endTokenOf(tokenizer, loaded)));
      await showRun(
        { workers, json },
        (onProgress) =>
          tokenizeDocuments(inputs, out, { tokenizer: loaded, end: last, workers, onProgress }),
        ({ documents, tokens, bytes, empty, shards }) => [
          `documents  ${documents}${empty > 0 ? `, and ${empty} without a token left out` : ''}`,
          `tokens     ${tokens}, ${(bytes / tokens).toFixed(2)} bytes each, ${last ?? 'no token'} after each document`,
          `${shownPath(out)}: shards.json, ${shards} ${shards === 1 ? 'shard' : 'shards'}, tokenizer.json`,
        ],
      );
    });
  return withRunOptions(command);
}
