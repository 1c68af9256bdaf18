import { download, fileName } from '../../download.js';
import { lab, readHistory } from '../../lab.js';
import { runFileOf } from '../../model/run-file.js';
import type { RunNews, RunRecord, StepPoint } from '../../store/records.js';

const columns = [
  'step',
  'seconds',
  'loss',
  'gradientNorm',
  'learningRate',
  'tokensPerSecond',
  'memory',
] as const satisfies (keyof StepPoint)[];

/** The curves as a table: a row a step, with the measurement after it where there is one. */
export function toCsv({ points, validations }: RunNews): string {
  const measured = new Map(validations.map(({ step, loss }) => [step, loss]));
  const rows = points.map((point) =>
    [...columns.map((column) => point[column]), measured.get(point.step + 1) ?? ''].join(','),
  );
  return `${[[...columns, 'validationLoss'].join(','), ...rows].join('\n')}\n`;
}

/** Hands over a run: all of it, its curves, its model, or the file that trains it again. */
export async function exportRun(
  run: RunRecord,
  kind: 'json' | 'csv' | 'zip' | 'run',
): Promise<void> {
  const name = fileName(run.name);
  if (kind === 'run') {
    download(`${name}.run.json`, `${JSON.stringify(runFileOf(run.config), null, 2)}\n`);
    return;
  }
  if (kind === 'zip') {
    download(`${name}.zip`, await lab.call('exportRun', [run.id]));
    return;
  }
  const history = await readHistory(run.id);
  if (kind === 'csv') download(`${name}.csv`, toCsv(history));
  else download(`${name}.json`, `${JSON.stringify({ run, ...history }, null, 2)}\n`);
}
