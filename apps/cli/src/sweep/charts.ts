import { escapeText, headColours } from '@headwise/inspect/figures';
import {
  type HistoryEntry,
  measureOf,
  ranked,
  type SweepFile,
  settingsText,
  type TrialResult,
  valueText,
} from '@headwise/runs';
import { type ChartScale, linearScale, logScale, tickText } from '../report/axis.js';

/** The pixels of a chart, and of the box that its values lie in. */
const frame = (width: number, height: number) => ({
  ...{ width, height },
  box: { left: 52, right: width - 16, top: 12, bottom: height - 40 },
});
const wide = frame(760, 320);
const small = frame(380, 240);

/** The training loss of every trial by step; the best are coloured, and named below. */
export function lossChart(file: SweepFile): string {
  const trials = ranked(file.trials).filter(({ history }) => lossesOf(history).length > 0);
  if (trials.length === 0) return '';
  const curves = trials.map(({ history }) => lossesOf(history));
  const steps = Math.max(...curves.map((curve) => curve.at(-1)![0]));
  const lowest = Math.min(...curves.flatMap((curve) => curve.map(([, loss]) => loss)));
  // A run that diverges leaves the picture at the top.
  const highest = Math.max(...curves.map((curve) => curve[0]![1]));
  const { box, width } = wide;
  const x = linearScale([0, steps], [box.left, box.right]);
  const y = linearScale([lowest, highest], [box.bottom, box.top]);
  const lines = trials.map(({ name, settings }, i) => {
    const points = curves[i]!.map(([step, loss]) => `${round(x.at(step))},${round(y.at(loss))}`);
    const colour = headColours[i];
    const paint = colour === undefined ? 'class="quiet"' : `stroke="${colour}"`;
    const title = escapeText(`${name}: ${settingsText(settings)}`);
    return `<polyline ${paint} points="${points.join(' ')}"><title>${title}</title></polyline>`;
  });
  // The best is drawn last, above the others.
  const drawing = `<clipPath id="plot"><rect x="${box.left}" y="0" width="${width}" height="${box.bottom}"/></clipPath><g clip-path="url(#plot)">${lines.reverse().join('')}</g>`;
  const named = trials
    .slice(0, headColours.length)
    .map(
      ({ name, settings }, i) =>
        `<li><svg viewBox="0 0 16 10" aria-hidden="true"><rect width="16" height="10" rx="2" fill="${headColours[i]}"/></svg> ${escapeText(`${name}: ${settingsText(settings)}`)}</li>`,
    );
  const title = `training loss of ${trials.length} trials by step`;
  return `${chart(title, { frame: wide, x, y, xName: 'step' }, drawing)}
<ul class="legend">${named.join('')}</ul>`;
}

/** What trials with each value of a key came to; empty where no trial ended or all have one value. */
export function axisChart({ trials }: SweepFile, path: string): string {
  const measure = measureOf(trials);
  const ended = ranked(trials).flatMap(({ value, name, settings }) =>
    value === undefined ? [] : [{ value, name, setting: settings[path] }],
  );
  const values = [...new Set(ended.map(({ setting }) => valueText(setting)))];
  if (values.length < 2) return '';
  const { box } = small;
  const x = settingScale(
    ended.map(({ setting }) => setting),
    [box.left + 24, box.right - 24],
  );
  const all = ended.map(({ value }) => value);
  const y = linearScale([Math.min(...all), Math.max(...all)], [box.bottom - 12, box.top + 12]);
  const dots = ended.map(({ value, name, setting }, i) => {
    const title = escapeText(`${name}: ${path}=${valueText(setting)}, ${value.toFixed(4)}`);
    const place = `cx="${round(x.of(setting))}" cy="${round(y.at(value))}"`;
    return `<circle ${place} r="${i === 0 ? 6 : 4}" ${i === 0 ? `fill="${headColours[0]}"` : 'class="quiet"'}><title>${title}</title></circle>`;
  });
  const title = `${measureWords[measure]} by ${path}`;
  return chart(
    title,
    { frame: small, x: x.scale, y, xName: path, words: x.words },
    dots.reverse().join(''),
  );
}

/** A measure in words. */
export const measureWords = {
  bitsPerByte: 'bits per byte, validation',
  validationLoss: 'validation loss, nats a token',
};

interface SettingScale {
  scale: ChartScale;
  of(setting: unknown): number;
  /** What stands at the ticks, where they are not numbers. */
  words?: readonly string[];
}

/** Numbers where they lie, by their logarithm where they span more than a factor of 20; other values beside each other. */
function settingScale(settings: readonly unknown[], ends: readonly [number, number]): SettingScale {
  const numbers = settings.filter((setting): setting is number => typeof setting === 'number');
  if (numbers.length < settings.length || new Set(numbers).size <= 4) {
    const order = [...new Set(settings)].sort((a, b) =>
      typeof a === 'number' && typeof b === 'number' ? a - b : 0,
    );
    const words = [...new Set(order.map(valueText))];
    const scale = linearScale([0, words.length - 1], ends);
    const ticks = [...words.keys()];
    return {
      scale: { at: scale.at, ticks },
      of: (setting) => scale.at(words.indexOf(valueText(setting))),
      words,
    };
  }
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
  const scale =
    low > 0 && high / low > 20 ? logScale(numbers, ends) : linearScale([low, high], ends);
  return { scale, of: (setting) => scale.at(setting as number) };
}

interface ChartAxes {
  frame: typeof wide;
  x: ChartScale;
  y: ChartScale;
  xName: string;
  /** What stands at the ticks of x, where they are not numbers. */
  words?: readonly string[] | undefined;
}

/** @param drawing markup */
function chart(
  title: string,
  { frame: { width, height, box }, x, y, xName, words }: ChartAxes,
  drawing: string,
): string {
  const rows = y.ticks.map((tick) => {
    const at = round(y.at(tick));
    return `<line class="grid" x1="${box.left}" x2="${box.right}" y1="${at}" y2="${at}"/><text x="${box.left - 6}" y="${at + 4}" text-anchor="end">${tickText(tick)}</text>`;
  });
  const columns = x.ticks.map((tick, i) => {
    const text = escapeText(words?.[i] ?? tickText(tick));
    return `<text x="${round(x.at(tick))}" y="${box.bottom + 16}" text-anchor="middle">${text}</text>`;
  });
  const name = `<text x="${box.right}" y="${height - 4}" text-anchor="end">${escapeText(xName)}</text>`;
  return `<svg class="chart${width > 500 ? ' wide' : ''}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeText(title)}">${rows.join('')}${columns.join('')}${name}${drawing}</svg>`;
}

const lossesOf = (history: readonly HistoryEntry[]): (readonly [number, number])[] =>
  history.flatMap((entry) => ('loss' in entry ? [[entry.step + 1, entry.loss] as const] : []));

const round = (value: number): number => Math.round(value * 10) / 10;

/** The keys that a sweep changes, in their order. */
export const pathsOf = (trials: readonly TrialResult[]): string[] => [
  ...new Set(trials.flatMap(({ settings }) => Object.keys(settings))),
];
