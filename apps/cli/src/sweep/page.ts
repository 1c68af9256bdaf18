import { basename } from 'node:path';
import { escapeText } from '@headwise/inspect/figures';
import { measureOf, ranked, type SweepFile } from '@headwise/runs';
import { documentOf } from '../report/document.js';
import { axisChart, lossChart, measureWords, pathsOf } from './charts.js';
import { sweepTable } from './table.js';

/** The page of a sweep: a table of its trials, their curves, and what each setting brought. */
export function sweepPage(file: SweepFile, config: string): string {
  const { trials, search } = file;
  const best = ranked(trials)[0];
  const failed = trials.filter(({ status }) => status === 'failed').length;
  const open = trials.filter(({ status }) => status === 'open').length;
  const facts = {
    configuration: basename(config),
    trials: String(trials.length),
    search: search.random ? `random, seed ${search.random.seed}` : 'grid',
    ...(failed > 0 ? { failed: String(failed) } : {}),
    ...(open > 0 ? { 'still open': String(open) } : {}),
    ...(best?.value === undefined
      ? {}
      : {
          [`best, ${measureWords[measureOf(trials)]}`]: `${best.value.toFixed(4)}, trial ${best.name}`,
        }),
  };
  return documentOf({
    title: `Sweep of ${basename(config)}`,
    about: 'What the runs of a sweep came to, from the best to the worst.',
    facts,
    main: [tableSection(file), curveSection(file), axisSection(file)].join('\n'),
    command: 'headwise sweep',
  });
}

function tableSection(file: SweepFile): string {
  const { head, rows } = sweepTable(file);
  const failed = rows.some(({ trial }) => trial.problem !== undefined);
  const columns = [...head, ...(failed ? ['problem'] : [])];
  const lines = rows.map(({ cells: [name, ...cells], trial }, i) => {
    const problem = failed ? `<td class="reason">${escapeText(trial.problem ?? '')}</td>` : '';
    const best = i === 0 && trial.status === 'done' ? ' class="best"' : '';
    return `<tr${best}><th scope="row">${escapeText(name!)}</th>${cells.map((cell) => `<td>${escapeText(cell)}</td>`).join('')}${problem}</tr>`;
  });
  return `<section aria-labelledby="table-title">
<h2 id="table-title">Trials</h2>
<div class="table" tabindex="0" role="region" aria-labelledby="table-title"><table>
<thead><tr>${columns.map((column) => `<th scope="col"${column === 'problem' ? ' class="reason"' : ''}>${escapeText(column)}</th>`).join('')}</tr></thead>
<tbody>${lines.join('\n')}</tbody>
</table></div>
</section>`;
}

function curveSection(file: SweepFile): string {
  const drawn = lossChart(file);
  if (drawn === '') return '';
  return `<section aria-labelledby="curve-title">
<h2 id="curve-title">Training loss</h2>
<p>Nats a token, by step.</p>
<div class="figure">${drawn}</div>
</section>`;
}

function axisSection(file: SweepFile): string {
  const charts = pathsOf(file.trials).flatMap((path) => {
    const drawn = axisChart(file, path);
    return drawn === '' ? [] : [`<div class="figure"><h3>${escapeText(path)}</h3>${drawn}</div>`];
  });
  if (charts.length === 0) return '';
  return `<section aria-labelledby="axis-title">
<h2 id="axis-title">What each setting brought</h2>
<p>A dot is a trial: its ${measureWords[measureOf(file.trials)]}; the less the better.</p>
<div class="charts">${charts.join('\n')}</div>
</section>`;
}
