import { InputError } from '@headwise/core';
import { type DedupMethod, type DedupReport, deduplicate, outputEnding } from '@headwise/data/node';
import { Command, Option } from 'commander';
import { integer } from '../../numbers.js';
import {
  checkPartsFolder,
  type OutputOptions,
  type RunOptions,
  shareOf,
  showRun,
  withOutputOptions,
  withRunOptions,
} from './run.js';

interface Options extends RunOptions, OutputOptions {
  out: string;
  method: keyof typeof methods;
  shingle?: number;
  bands?: number;
  hashes?: number;
  seed?: number;
  words?: 'english' | 'spaces';
  length?: number;
}

const methods = {
  exact: 'exact',
  minhash: 'minhash',
  lines: 'line',
  paragraphs: 'paragraph',
  substrings: 'substring',
} satisfies Record<string, DedupMethod>;

/** `headwise data dedup`: documents without duplicates. */
export function dedupCommand(): Command {
  const command = new Command('dedup')
    .description('remove duplicates of documents, or of their lines or paragraphs')
    .argument(
      '<inputs...>',
      'files, folders, globs or addresses of .jsonl, .csv, .txt, .warc (also .gz, .zst) and .parquet',
    )
    .requiredOption('--out <folder>', 'where documents/ and report.json are written')
    .addOption(
      new Option('--method <method>', 'what is compared')
        .choices(Object.keys(methods))
        .default('minhash'),
    )
    .option('--shingle <n>', 'minhash: words of a shingle, default 5', integer)
    .option('--bands <n>', 'minhash: bands of a signature, default 14', integer)
    .option('--hashes <n>', 'minhash: hashes of a band, default 8', integer)
    .option('--seed <n>', 'minhash: seed of the permutations, default 1', integer)
    .addOption(
      new Option('--words <where>', 'minhash: where words end, default english').choices([
        'english',
        'spaces',
      ]),
    )
    .option('--length <bytes>', 'substrings: the shortest span, default 200', integer)
    .addHelpText(
      'after',
      '\nThe first document of each cluster of duplicates stays. A run that was killed goes on when called again.',
    )
    .action((inputs: string[], options: Options) => {
      const { out, method, workers, format, gzip } = options;
      checkPartsFolder('--out', out);
      return showRun(
        options,
        (onProgress) =>
          deduplicate(inputs, out, {
            method: methods[method],
            ...minhashOf(options),
            ...lengthOf(options),
            ...{ workers, format, gzip, onProgress },
          }),
        (report) => linesOf(report, `${out}: documents/*.${outputEnding(options)}, report.json`),
      );
    });
  return withRunOptions(withOutputOptions(command));
}

function minhashOf({ method, shingle, bands, hashes, seed, words }: Options) {
  const given = Object.entries({ shingle, bands, hashes, seed, words }).filter(
    ([, value]) => value !== undefined,
  );
  if (given.length === 0) return {};
  if (method !== 'minhash') {
    const [name, value] = given[0]!;
    throw new InputError(
      `--${name} is ${value}, expected with --method minhash only, not ${method}`,
    );
  }
  return { minhash: Object.fromEntries(given) };
}

function lengthOf({ method, length }: Options) {
  if (length === undefined) return {};
  if (method === 'substrings') return { length };
  throw new InputError(
    `--length is ${length}, expected with --method substrings only, not ${method}`,
  );
}

function linesOf(report: DedupReport, files: string): string[] {
  const { documents, kept, parts, bytes, keptBytes, method } = report;
  const share = (part: number, whole: number) => (whole === 0 ? '' : ` (${shareOf(part, whole)})`);
  return [
    `documents  ${documents} read, ${kept} kept${share(kept, documents)}`,
    ...(parts > 0 ? [`${method}s  ${parts} removed`] : []),
    `text       ${bytes} bytes read, ${keptBytes} kept${share(keptBytes, bytes)}`,
    files,
  ];
}
