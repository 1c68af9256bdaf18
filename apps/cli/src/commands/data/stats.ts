import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '@headwise/core';
import { addSize, binRange, type TokenShards } from '@headwise/data';
import { documentStats, type Input, openShards } from '@headwise/data/node';
import { loadTokenizer } from '@headwise/tokenizers/node';
import { Command } from 'commander';
import { inputsToRead } from './pipeline.js';
import { type RunOptions, shareOf, showRun, withRunOptions } from './run.js';

interface Options extends RunOptions {
  pipeline?: string;
  tokenizer?: string;
  out?: string;
}

/** What is counted: of documents all, of shards without bytes by document. */
interface Counts {
  documents: number;
  empty?: number | undefined;
  bytes: number;
  tokens?: number | undefined;
  byBytes?: number[] | undefined;
  byTokens?: number[] | undefined;
}

/** `headwise data stats`: how many documents there are, and how long. */
export function statsCommand(): Command {
  const command = new Command('stats')
    .description('count documents, bytes and tokens, and how they are distributed')
    .argument(
      '[inputs...]',
      'files, folders, globs and addresses of documents, or one folder of shards',
    )
    .option(
      '--pipeline <file>',
      'instead: a pipeline file, of which the last stage that has ended is read',
    )
    .option('--tokenizer <path>', 'counts tokens too: a tokenizer.json, or a folder that holds one')
    .option('--out <folder>', 'keeps the counts, and goes on when called again after a kill')
    .action(async (given: string[], options: Options) => {
      const { tokenizer, out } = options;
      const inputs = await inputsToRead(given, options.pipeline);
      await showRun<Counts>(
        options,
        async (onProgress) => {
          const shards = shardsIn(inputs);
          if (shards !== undefined) {
            if (inputs.length > 1 || tokenizer !== undefined || out !== undefined) {
              throw new InputError(
                `${shards}: is a folder of shards, expected as the only input, without --tokenizer and --out`,
              );
            }
            return shardStats(await openShards(shards), onProgress);
          }
          const loaded = tokenizer === undefined ? undefined : await loadTokenizer(tokenizer);
          const { workers } = options;
          return documentStats(inputs, { tokenizer: loaded, folder: out, workers, onProgress });
        },
        linesOf,
      );
    });
  return withRunOptions(command);
}

/** The path of an input. */
export const pathOf = (input: Input): string => (typeof input === 'string' ? input : input.path);

/** Whether a path is a folder of shards. */
export const isShards = (path: string): boolean => existsSync(join(path, 'shards.json'));

/** The first input that is a folder of shards. */
export const shardsIn = (inputs: readonly Input[]): string | undefined =>
  inputs.map(pathOf).find(isShards);

async function shardStats(
  shards: TokenShards,
  onProgress: (done: number, total: number) => void,
): Promise<Counts> {
  const { documents, tokens, bytes } = shards.manifest;
  const byTokens: number[] = [];
  let done = 0;
  onProgress(done, shards.manifest.shards.length);
  for (let shard = 0; shard < shards.manifest.shards.length; shard++) {
    let before = 0;
    for (const end of await shards.ends(shard)) {
      addSize(byTokens, end - before);
      before = end;
    }
    onProgress(++done, shards.manifest.shards.length);
  }
  return { documents, bytes, tokens, byTokens };
}

function linesOf({ documents, empty, bytes, tokens, byBytes, byTokens }: Counts): string[] {
  const each = (sum: number) => (documents === 0 ? '' : `, ${(sum / documents).toFixed(1)} each`);
  return [
    `documents  ${documents}${empty ? `, ${empty} of them blank` : ''}`,
    `bytes      ${bytes}${each(bytes)}`,
    ...(tokens === undefined
      ? []
      : [
          `tokens     ${tokens}${each(tokens)}${tokens > 0 ? `, ${(bytes / tokens).toFixed(2)} bytes a token` : ''}`,
        ]),
    ...(byBytes ? histogram('bytes', byBytes) : []),
    ...(byTokens ? histogram('tokens', byTokens) : []),
  ];
}

const barWidth = 40;

function histogram(unit: string, counts: readonly number[]): string[] {
  const most = Math.max(1, ...counts);
  const all = counts.reduce((sum, count) => sum + count, 0);
  const first = counts.findIndex((count) => count > 0);
  return [
    '',
    `documents by ${unit}`,
    ...counts.flatMap((count, bin) => {
      if (bin < first || first < 0) return [];
      const [from, to] = binRange(bin);
      const bar = '█'.repeat(Math.round((barWidth * count) / most)).padEnd(barWidth);
      const range = `${from} – ${to}`.padStart(22);
      return [`${range}  ${bar} ${String(count).padStart(9)} ${shareOf(count, all).padStart(8)}`];
    }),
  ];
}
