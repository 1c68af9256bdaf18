import { escapeText, headColours } from '@headwise/inspect/figures';
import type { ConditionResult, TrialReport } from '@headwise/prompting';
import { type ChartScale, linearScale } from '../../report/axis.js';

/** The conditions of one prompt with or without a chain of thought. */
interface Series {
  readonly name: string;
  readonly chain: boolean;
  readonly colour: string;
  readonly results: readonly ConditionResult[];
}

const width = 720;
const height = 400;
const box = { left: 56, right: 560, top: 76, bottom: 346 };
/** The most pixels between two series at one number of shots, and those between two names. */
const mostApart = 36;
const lineHeight = 17;

/**
 * The accuracy of every condition by its number of shots, with intervals and the single draws and orders, as an SVG file for light and dark pages.
 *
 * @param chance the accuracy of guessing, where it is the same for all
 */
export function trialChart(
  report: TrialReport,
  { chance }: { chance?: number | undefined } = {},
): string {
  const { conditions, level } = report;
  const all = seriesOf(conditions);
  const shots = [...new Set(conditions.map((one) => one.shots))].sort((a, b) => a - b);
  const { low, high } = rangeOf(conditions, chance);
  const y = linearScale([low, high], [box.bottom, box.top]);
  const spread = (box.right - box.left) / shots.length;
  const apart = Math.min(mostApart, (0.6 * spread) / all.length);
  const place = (count: number, series: number) =>
    box.left + (shots.indexOf(count) + 0.5) * spread + (series - (all.length - 1) / 2) * apart;
  const questions = conditions[0]!.questions;
  const several = conditions.some(({ each }) => each.length > 1);
  const about = [
    `${questions} ${questions === 1 ? 'question' : 'questions'}`,
    `bars: ${Number((100 * level).toFixed(2))} % bootstrap intervals`,
    ...(several ? ['dots: single draws and orders of examples'] : []),
  ].join(' · ');
  const title = 'Accuracy by examples shown';
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escapeText(title)}">
<style>
svg { --ground: #ffffff; --ink: #1b1f27; --quiet: #545b69; --line: #d5d9e0; font: 13px system-ui, sans-serif; }
@media (prefers-color-scheme: dark) { svg { --ground: #16181d; --ink: #e8eaf0; --quiet: #a5adbb; --line: #383d48; } }
text { fill: var(--quiet); } .name { fill: var(--ink); } .title { fill: var(--ink); font-size: 17px; font-weight: 600; }
.grid { stroke: var(--line); } .chance { stroke: var(--quiet); stroke-dasharray: 2 4; }
.dot { opacity: .45; } .line { fill: none; stroke-width: 2; } .bar { stroke-width: 2; } .mean { stroke-width: 2; }
</style>
<rect width="${width}" height="${height}" fill="var(--ground)"/>
<text class="title" x="20" y="30">${title}</text>
<text x="20" y="51">${escapeText(about)}</text>
${axes(y, shots, (count) => place(count, (all.length - 1) / 2))}
${chance === undefined ? '' : chanceLine(y.at(chance))}
${all.map((series, n) => drawing(series, (count) => place(count, n), y)).join('\n')}
${names(all, y)}
</svg>
`;
}

function seriesOf(conditions: readonly ConditionResult[]): Series[] {
  const prompts = [...new Set(conditions.map(({ prompt }) => prompt))];
  return prompts.flatMap((prompt, n) =>
    [false, true].flatMap((chain) => {
      const own = conditions.filter((one) => one.prompt === prompt && one.chain === chain);
      if (own.length === 0) return [];
      const results = [...own].sort((a, b) => a.shots - b.shots);
      const colour = headColours[n % headColours.length]!;
      return [{ name: chain ? `${prompt}, chain` : prompt, chain, colour, results }];
    }),
  );
}

/** Whole steps of 10 % around all that is drawn. */
function rangeOf(
  conditions: readonly ConditionResult[],
  chance: number | undefined,
): { low: number; high: number } {
  const values = conditions.flatMap(({ low, high, each }) => [low, high, ...each]);
  if (chance !== undefined) values.push(chance);
  const low = Math.floor(10 * Math.min(...values) + 1e-9) / 10;
  const high = Math.ceil(10 * Math.max(...values) - 1e-9) / 10;
  return high - low < 0.2
    ? { low: Math.max(0, high - 0.2), high: Math.max(0.2, high) }
    : { low, high };
}

function axes(y: ChartScale, shots: readonly number[], place: (count: number) => number): string {
  const rows = y.ticks.map((tick) => {
    const at = round(y.at(tick));
    return `<line class="grid" x1="${box.left}" x2="${box.right}" y1="${at}" y2="${at}"/><text x="${box.left - 8}" y="${at + 4}" text-anchor="end">${Math.round(100 * tick)} %</text>`;
  });
  const columns = shots.map(
    (count) =>
      `<text x="${round(place(count))}" y="${box.bottom + 22}" text-anchor="middle">${count}</text>`,
  );
  const middle = (box.left + box.right) / 2;
  return `${rows.join('')}${columns.join('')}<text x="${middle}" y="${height - 10}" text-anchor="middle">examples shown</text>`;
}

const chanceLine = (at: number): string =>
  `<line class="chance" x1="${box.left}" x2="${box.right}" y1="${round(at)}" y2="${round(at)}"/><text x="${box.right - 4}" y="${round(at) - 6}" text-anchor="end">chance</text>`;

function drawing(
  { name, chain, colour, results }: Series,
  place: (count: number) => number,
  y: ChartScale,
): string {
  const points = results.map(
    ({ shots, accuracy }) => `${round(place(shots))},${round(y.at(accuracy))}`,
  );
  const dashes = chain ? ' stroke-dasharray="5 4"' : '';
  const line = `<polyline class="line" stroke="${colour}"${dashes} points="${points.join(' ')}"/>`;
  const marks = results.map(({ shots, accuracy, low, high, each }) => {
    const x = round(place(shots));
    const dots = each.length > 1 ? each : [];
    const title = escapeText(
      `${name}, ${shots} shots: ${percent(accuracy)}, ${percent(low)} to ${percent(high)}`,
    );
    return [
      ...dots.map(
        (one) =>
          `<circle class="dot" cx="${x + 6}" cy="${round(y.at(one))}" r="2.5" fill="${colour}"/>`,
      ),
      `<line class="bar" stroke="${colour}" x1="${x}" x2="${x}" y1="${round(y.at(low))}" y2="${round(y.at(high))}"/>`,
      ...[low, high].map((end) => {
        const at = round(y.at(end));
        return `<line class="bar" stroke="${colour}" x1="${x - 4}" x2="${x + 4}" y1="${at}" y2="${at}"/>`;
      }),
      `<circle class="mean" cx="${x}" cy="${round(y.at(accuracy))}" r="5" stroke="${colour}" fill="${chain ? 'var(--ground)' : colour}"><title>${title}</title></circle>`,
    ].join('');
  });
  return `<g>${line}${marks.join('')}</g>`;
}

/** The series' names on the right, beside their last points, moved apart where they would lie on each other. */
function names(all: readonly Series[], y: ChartScale): string {
  const labels = all
    .map(({ name, colour, chain, results }) => {
      return { name, colour, chain, at: y.at(results.at(-1)!.accuracy) };
    })
    .sort((a, b) => a.at - b.at);
  let next = box.top;
  for (const label of labels) {
    label.at = Math.max(label.at, next);
    next = label.at + lineHeight;
  }
  const beyond = Math.max(0, next - lineHeight - box.bottom);
  return labels
    .map(({ name, colour, chain, at }) => {
      const middle = round(at - beyond);
      const shown = name.length > 20 ? `${name.slice(0, 19)}…` : name;
      const x = box.right + 14;
      const mark = `<circle class="mean" cx="${x}" cy="${middle}" r="4" stroke="${colour}" fill="${chain ? 'var(--ground)' : colour}"/>`;
      return `${mark}<text class="name" x="${x + 11}" y="${middle + 4}">${escapeText(shown)}<title>${escapeText(name)}</title></text>`;
    })
    .join('');
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
const round = (value: number): number => Math.round(value * 10) / 10;
