import { measuresOf, ranked, type SweepFile, type TrialResult, valueText } from '@headwise/runs';
import { pathsOf } from './charts.js';

/** A sweep as a table: a column a setting and a measure, a row a trial, the best first. */
export interface SweepTable {
  head: string[];
  rows: { cells: string[]; trial: TrialResult }[];
}

export function sweepTable({ trials }: SweepFile): SweepTable {
  const paths = pathsOf(trials);
  const bits = trials.some(({ history }) => measuresOf(history).bitsPerByte !== undefined);
  const head = [
    ...['trial', ...paths, 'steps', 'training loss', 'validation loss'],
    ...(bits ? ['bits per byte'] : []),
  ];
  const rows = ranked(trials).map((trial) => {
    const { steps, loss, validationLoss, bitsPerByte } = measuresOf(trial.history);
    const number = (value: number | undefined) => value?.toFixed(4) ?? '';
    const measured = trial.status === 'done';
    const cells = [
      trial.name,
      ...paths.map((path) => valueText(trial.settings[path])),
      `${steps}/${trial.config.training.steps}`,
      number(loss),
      measured ? number(validationLoss) : trial.status,
      ...(bits ? [measured ? number(bitsPerByte) : ''] : []),
    ];
    return { cells, trial };
  });
  return { head, rows };
}

/** The table in columns of characters, and a line for each trial that failed. */
export function tableText(file: SweepFile): string[] {
  const { head, rows } = sweepTable(file);
  const lines = [head, ...rows.map(({ cells }) => cells)];
  const widths = head.map((_, i) => Math.max(...lines.map((cells) => cells[i]!.length)));
  return [
    ...lines.map((cells) =>
      cells
        .map((cell, i) => cell.padStart(widths[i]!))
        .join('  ')
        .trimEnd(),
    ),
    ...rows.flatMap(({ trial: { name, status, problem } }) =>
      status === 'failed' ? [`trial ${name} failed: ${problem}`] : [],
    ),
  ];
}
