import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '@headwise/core';
import { addSize, binRange, type TokenShards } from '@headwise/data';
import { documentStats, openShards } from '@headwise/data/node';
import { loadTokenizer } from '@headwise/tokenizers/node';
import { Command } from 'commander';
import { type RunOptions, shareOf, showRun, withRunOptions } from './run.js';

interface Options extends RunOptions {
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
      '<inputs...>',
      'files, folders, globs and addresses of documents, or one folder of shards',
    )
    .option('--tokenizer <path>', 'counts tokens too: a tokenizer.json, or a folder that holds one')
    .option('--out <folder>', 'keeps the counts, and goes on when called again after a kill')
    .action(async (inputs: string[], options: Options) => {
      const { tokenizer, out } = options;
      await showRun<Counts>(
        options,
        async (onProgress) => {
          if (inputs.some(isShards)) {
            if (inputs.length > 1 || tokenizer !== undefined || out !== undefined) {
              throw new InputError(
                `${inputs.find(isShards)}: is a folder of shards, expected as the only input, without --tokenizer and --out`,
              );
            }
            return shardStats(await openShards(inputs[0]!), onProgress);
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

/** Whether a path is a folder of shards. */
export const isShards = (path: string): boolean => existsSync(join(path, 'shards.json'));

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
