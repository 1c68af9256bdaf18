import { InputError, Random } from '@headwise/core';
import { withValue } from '../override.js';
import { parseRunConfig } from '../parse-run-config.js';
import type { RunConfig } from '../run-config.js';
import type { ListAxis, RangeAxis, SweepAxis } from './axes.js';

/** What a trial changes of the sweep's configuration: values by their paths. */
export type TrialSettings = Readonly<Record<string, unknown>>;

/** A run of a sweep. */
export interface SweepTrial {
  /** Its number, as the name of its folder. */
  name: string;
  settings: TrialSettings;
  config: RunConfig;
}

/** How a sweep finds its trials: all points of the grid, or `count` random ones. */
export interface SweepSearch {
  axes: readonly SweepAxis[];
  random?: { count: number; seed: number } | undefined;
}

const mostTrials = 10_000;

/**
 * The trials of a sweep, every one of them a run's file without a problem.
 *
 * @param json what the run's file holds
 * @param name the file's, for errors
 * @throws InputError naming the trial and the key: an unknown one, a value of another type or out of range, two trials that are equal
 */
export function sweepTrials(json: unknown, search: SweepSearch, name: string): SweepTrial[] {
  if (search.axes.length === 0) throw new InputError('a sweep has no --grid; expected one or more');
  const points = search.random ? randomPoints(search.axes, search.random) : gridPoints(search.axes);
  const seen = new Map<string, string>();
  return points.map((settings, i) => {
    const words = settingsText(settings);
    let changed = json;
    for (const [path, value] of Object.entries(settings)) {
      changed = withValue(changed, path, value, `--grid ${path}`);
    }
    const config = parseRunConfig(changed, `${name} with ${words}`);
    const form = JSON.stringify(config);
    const before = seen.get(form);
    if (before !== undefined) {
      throw new InputError(`--grid: the trials with ${before} and with ${words} are the same run`);
    }
    seen.set(form, words);
    return { name: String(i).padStart(3, '0'), settings, config };
  });
}

/** A trial's settings as one reads them: `model.layers=2 training.learningRate=0.001`. */
export function settingsText(settings: TrialSettings): string {
  return Object.entries(settings)
    .map(([path, value]) => `${path}=${valueText(value)}`)
    .join(' ');
}

/** A value as it is written after `--grid path=`. */
export const valueText = (value: unknown): string =>
  typeof value === 'string' ? value : JSON.stringify(value);

/** Every combination of the axes' values; the last axis changes first. */
function gridPoints(axes: readonly SweepAxis[]): TrialSettings[] {
  const lists = axes.map((axis) => {
    if ('values' in axis) return axis;
    throw new InputError(
      `--grid ${axis.path}=${axis.from}..${axis.to}: a range is for a random search; give --random, or list its values`,
    );
  });
  const count = sizeOf(lists);
  if (count > mostTrials) {
    throw new InputError(
      `--grid: the grid has ${count} points; expected ${mostTrials} at most. --random takes some of them`,
    );
  }
  return Array.from({ length: count }, (_, i) => pointOf(lists, i));
}

const sizeOf = (lists: readonly ListAxis[]): number =>
  lists.reduce((count, { values }) => count * values.length, 1);

function pointOf(lists: readonly ListAxis[], index: number): TrialSettings {
  const settings: [string, unknown][] = [];
  let rest = index;
  for (const { path, values } of lists.toReversed()) {
    settings.push([path, values[rest % values.length]]);
    rest = Math.floor(rest / values.length);
  }
  return Object.fromEntries(settings.reverse());
}

/** Different random points, the same for the same seed; more of them begin with those of fewer. */
function randomPoints(
  axes: readonly SweepAxis[],
  { count, seed }: { count: number; seed: number },
): TrialSettings[] {
  if (!(Number.isInteger(count) && count >= 1 && count <= mostTrials)) {
    throw new InputError(`--random is ${count}; expected a whole number from 1 to ${mostTrials}`);
  }
  const most = axes.reduce((product, axis) => product * choices(axis), 1);
  if (count > most) {
    throw new InputError(`--random is ${count}; the grid has ${most} different points`);
  }
  const random = new Random(seed);
  const points = new Map<string, TrialSettings>();
  while (points.size < count) {
    const point = Object.fromEntries(axes.map((axis) => [axis.path, draw(axis, random)]));
    points.set(JSON.stringify(point), point);
  }
  return [...points.values()];
}

const choices = (axis: SweepAxis): number =>
  'values' in axis ? axis.values.length : axis.whole ? axis.to - axis.from + 1 : Infinity;

function draw(axis: SweepAxis, random: Random): unknown {
  const u = random.next();
  return 'values' in axis ? axis.values[Math.floor(u * axis.values.length)] : drawFrom(axis, u);
}

/** @param u in [0, 1) */
function drawFrom({ from, to, scale, whole }: RangeAxis, u: number): number {
  const end = whole ? to + 1 : to;
  const value = scale === 'log' ? from * (end / from) ** u : from + u * (end - from);
  if (whole) return Math.min(to, Math.floor(value));
  // Four digits are what a person reads in the table.
  return Math.min(to, Math.max(from, Number(value.toPrecision(4))));
}
