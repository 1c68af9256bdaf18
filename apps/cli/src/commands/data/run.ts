import { relative } from 'node:path';
import { InputError } from '@headwise/core';
import { outputFormats } from '@headwise/data/node';
import { type Command, Option } from 'commander';
import { integer } from '../../numbers.js';
import { output, progress } from '../../output.js';

/** Options of every command that takes documents from files into a folder. */
export interface RunOptions {
  workers: number;
  json?: boolean | undefined;
}

/** Adds the flags of `RunOptions`. */
export const withRunOptions = (command: Command): Command =>
  command
    .option('--workers <n>', 'threads', integer, 1)
    .option('--json', 'print the report as JSON');

/** Options of every command that writes documents. */
export interface OutputOptions {
  format?: (typeof outputFormats)[number];
  gzip?: boolean;
}

/** Adds the flags of `OutputOptions`. */
export const withOutputOptions = (command: Command): Command =>
  command
    .addOption(
      new Option('--format <format>', 'how documents are written; default jsonl').choices([
        ...outputFormats,
      ]),
    )
    .option('--gzip', 'compress with gzip: .jsonl.gz, or the pages of Parquet');

/** Refuses the name of a file where parts go into a folder. */
export function checkPartsFolder(name: string, path: string): void {
  const [, ending] = /\.(parquet|jsonl|jsonl\.gz|csv)$/.exec(path) ?? [];
  if (ending === undefined) return;
  throw new InputError(
    `${name} is ${path}; expected a folder, into which documents/*.${ending === 'csv' ? 'jsonl' : ending} is written: --format says how`,
  );
}

/** Shows how far a run is, and then its report. */
export async function showRun<Report>(
  { json = false }: RunOptions,
  run: (onProgress: (done: number, total: number) => void) => Promise<Report>,
  linesOf: (report: Report) => string[],
): Promise<void> {
  const out = output(json);
  let bar: ReturnType<typeof progress> | undefined;
  const report = await run((done, total) => {
    bar ??= progress(out, total, 0);
    bar.update(done, done === total ? 'done' : '');
  }).finally(() => bar?.stop());
  out.emit(report);
  for (const line of linesOf(report)) out.say(line);
}

/** A part as a share, `12.5 %`; empty where there is nothing to have a part of. */
export const shareOf = (part: number, whole: number): string =>
  whole === 0 ? '' : `${((100 * part) / whole).toFixed(1)} %`;

/** A path as it is shown: below the working directory without it. */
export function shownPath(path: string): string {
  const below = relative('', path);
  return below === '' || below.startsWith('..') ? path : below;
}
