import { InputError } from '@headwise/core';
import { type DedupMethod, type DedupReport, deduplicate } from '@headwise/data/node';
import { Command, Option } from 'commander';
import { integer } from '../../numbers.js';
import { output, progress } from '../../output.js';

interface Options {
  out: string;
  method: keyof typeof methods;
  shingle?: number;
  bands?: number;
  hashes?: number;
  seed?: number;
  words?: 'english' | 'spaces';
  length?: number;
  workers: number;
  json?: boolean;
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
  return new Command('dedup')
    .description('remove duplicates of documents, or of their lines or paragraphs')
    .argument('<inputs...>', 'files of JSON lines with a "text", or folders of .jsonl files')
    .requiredOption('--out <folder>', 'where documents/*.jsonl and report.json are written')
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
    .option('--workers <n>', 'threads', integer, 1)
    .option('--json', 'print the report as JSON')
    .addHelpText(
      'after',
      '\nThe first document of each cluster of duplicates stays. A run that was killed goes on when called again.',
    )
    .action(async (inputs: string[], options: Options) => {
      const out = output(options.json ?? false);
      let bar: ReturnType<typeof progress> | undefined;
      const report = await deduplicate(inputs, options.out, {
        method: methods[options.method],
        workers: options.workers,
        ...minhashOf(options),
        ...lengthOf(options),
        onProgress: (done, total) => {
          bar ??= progress(out, total, 0);
          bar.update(done, done === total ? 'done' : '');
        },
      }).finally(() => bar?.stop());
      out.emit(report);
      for (const line of linesOf(report, options.out)) out.say(line);
    });
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

function linesOf(report: DedupReport, folder: string): string[] {
  const { documents, kept, parts, bytes, keptBytes, method } = report;
  const share = (part: number, whole: number) =>
    whole === 0 ? '' : ` (${((100 * part) / whole).toFixed(1)} %)`;
  return [
    `documents  ${documents} read, ${kept} kept${share(kept, documents)}`,
    ...(parts > 0 ? [`${method}s  ${parts} removed`] : []),
    `text       ${bytes} bytes read, ${keptBytes} kept${share(keptBytes, bytes)}`,
    `${folder}: documents/*.jsonl, report.json`,
  ];
}
