import { type DedupReport, deduplicate, outputEnding } from '@headwise/data/node';
import { Command, Option } from 'commander';
import { integer } from '../../numbers.js';
import { type DedupGiven, dedupMethods, dedupSettings } from './dedup-settings.js';
import { workOf } from './pipeline.js';
import {
  checkPartsFolder,
  type OutputOptions,
  type RunOptions,
  shareOf,
  shownPath,
  showRun,
  withOutputOptions,
  withRunOptions,
} from './run.js';

interface Options extends RunOptions, OutputOptions, DedupGiven {
  out?: string;
  pipeline?: string;
}

/** `headwise data dedup`: documents without duplicates. */
export function dedupCommand(): Command {
  const command = new Command('dedup')
    .description('remove duplicates of documents, or of their lines or paragraphs')
    .argument(
      '[inputs...]',
      'files, folders, globs or addresses of .jsonl, .csv, .txt, .warc (also .gz, .zst) and .parquet',
    )
    .option('--out <folder>', 'where documents/ and report.json are written')
    .option('--pipeline <file>', "a pipeline file, whose 'dedup' says all of it")
    .addOption(
      new Option('--method <method>', 'what is compared; default minhash').choices(
        Object.keys(dedupMethods),
      ),
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
    .action(async (given: string[], { workers, json, ...flags }: Options) => {
      const { inputs, out, stage } = await workOf('dedup', given, { ...flags });
      const { format, gzip, ...compared } = stage ?? flags;
      if (!stage) checkPartsFolder('--out', out);
      const named = (key: string) => (stage ? `${flags.pipeline}: 'dedup.${key}'` : `--${key}`);
      const settings = { ...dedupSettings(compared, named), format, gzip };
      await showRun(
        { workers, json },
        (onProgress) => deduplicate(inputs, out, { ...settings, workers, onProgress }),
        (report) =>
          linesOf(report, `${shownPath(out)}: documents/*.${outputEnding(settings)}, report.json`),
      );
    });
  return withRunOptions(withOutputOptions(command));
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
