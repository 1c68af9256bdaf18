import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import {
  DataError,
  decontaminate,
  type EvaluationExample,
  language,
  readRows,
} from '@headwise/data';
import {
  answerLength,
  byStep,
  noDuplicates,
  noRefusals,
  type RowFilter,
  refusalPatterns,
} from '@headwise/prompting';
import type { Command } from 'commander';
import { integer, number } from '../../numbers.js';
import { readData } from '../../read-data.js';
import { patternOf } from './pattern.js';

/** The options of `addFilterFlags`. */
export interface FilterFlags {
  minLength?: number;
  maxLength?: number;
  languages?: string[];
  refusals: boolean | string[];
  duplicates: boolean | number;
  contamination?: string[];
  contaminationWords?: number;
}

/** Adds the options that say which rows are kept. */
export function addFilterFlags(command: Command): Command {
  const list = (text: string) => text.split(',').map((part) => part.trim());
  return command
    .option('--min-length <n>', 'characters of an answer at least; default 1', integer)
    .option('--max-length <n>', 'characters of an answer at most; default unlimited', integer)
    .option('--languages <codes>', 'keep answers in these languages, such as en,de', list)
    .option(
      '--refusals <patterns...>',
      'more patterns of answers that are left out as refusals, such as /^no/i',
    )
    .option('--no-refusals', 'keep answers that refuse')
    .option(
      '--duplicates <x>',
      'leave out what is this similar to a row before it, by words; default 0.7',
      number,
    )
    .option('--no-duplicates', 'keep rows that repeat each other')
    .option(
      '--contamination <files...>',
      'leave out what shares words in a row with these evaluation sets: rows with text, or prompt and completion',
    )
    .option('--contamination-words <n>', 'how many words in a row; default 13', integer);
}

/**
 * The filters of the flags, in the order of their cost.
 *
 * @throws InputError for options out of range; DataError where an evaluation set cannot be read
 */
export async function filtersOf(flags: FilterFlags): Promise<RowFilter[]> {
  const { minLength, maxLength, languages, refusals, duplicates, contamination } = flags;
  const filters: RowFilter[] = [answerLength({ least: minLength, most: maxLength })];
  if (refusals !== false) {
    const more = Array.isArray(refusals) ? refusals : [];
    const own = more.map((text) => patternOf('--refusals', text));
    filters.push(noRefusals([...refusalPatterns, ...own]));
  }
  if (languages) filters.push(byStep(language({ languages }), languages.join(',')));
  if (contamination) filters.push(await decontaminating(contamination, flags.contaminationWords));
  if (duplicates !== false) {
    filters.push(
      noDuplicates({ similarity: typeof duplicates === 'number' ? duplicates : undefined }),
    );
  }
  return filters;
}

async function decontaminating(paths: readonly string[], words?: number): Promise<RowFilter> {
  const examples: EvaluationExample[] = [];
  const hash = createHash('sha256');
  for (const path of paths) {
    const bytes = await readData(path);
    hash.update(bytes);
    const { rows, places } = await readRows(bytes, path);
    for (const [n, row] of rows.entries()) {
      const { text, completion, answer, query, prompt, question } = Object(row);
      const texts = [text ?? completion ?? answer, query ?? prompt ?? question];
      const [answers, asks] = texts.map((one) => (typeof one === 'string' ? one : undefined));
      if (answers === undefined && asks === undefined) {
        throw new DataError(
          `${path}:${places[n]}: has neither 'text' nor 'prompt' and 'completion'; expected an example of an evaluation set`,
        );
      }
      examples.push({ task: basename(path), text: answers ?? '', query: asks });
    }
  }
  const step = decontaminate(examples, { words });
  const settings = `${words ?? 13} ${hash.digest('hex')}`;
  return byStep(step, settings, { whole: true });
}
