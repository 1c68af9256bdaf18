import { InputError } from '@headwise/core';
import { parseValue } from '../override.js';

/** A key of a run's file with the values that a sweep gives it. */
export interface ListAxis {
  /** Its path, such as `model.layers`. */
  path: string;
  values: readonly unknown[];
}

/** A key of a run's file with the range that a random search draws its values from, both ends included. */
export interface RangeAxis {
  path: string;
  from: number;
  to: number;
  /** `log`: uniform in the logarithm. */
  scale: 'linear' | 'log';
  /** Both ends are whole numbers: so are the values. */
  whole: boolean;
}

export type SweepAxis = ListAxis | RangeAxis;

const number = String.raw`-?\d+(?:\.\d+)?(?:e[+-]?\d+)?`;
const range = new RegExp(`^(${number})\\.\\.(${number})(:log)?$`, 'i');

/**
 * Reads an axis: `model.layers=2,4`, `training.learningRate=1e-4..1e-2` or `training.learningRate=1e-4..1e-2:log`.
 *
 * Values are JSON, or else texts.
 *
 * @throws InputError where the text has another form, a value is given twice or a range is empty
 */
export function parseAxis(text: string): SweepAxis {
  const what = `--grid '${text}'`;
  const [, path, given] = /^([\w.]+)=(.*)$/s.exec(text) ?? [];
  if (path === undefined || given === undefined || given.trim() === '') {
    throw new InputError(
      `${what} is not of the form path=value,value, e.g. model.layers=2,4, or path=from..to`,
    );
  }
  const [, from, to, log] = range.exec(given) ?? [];
  if (from !== undefined && to !== undefined) {
    return rangeAxis({ path, from: Number(from), to: Number(to), log: !!log }, what);
  }
  const values = parseValues(given);
  const seen = new Set<string>();
  for (const value of values) {
    const form = JSON.stringify(value);
    if (form === '""') throw new InputError(`${what}: a value is empty`);
    if (seen.has(form)) throw new InputError(`${what}: ${form} is given twice`);
    seen.add(form);
  }
  return { path, values };
}

/**
 * Reads the axes of a sweep.
 *
 * @throws InputError where two are of one key, or one is inside another
 */
export function parseAxes(texts: readonly string[]): SweepAxis[] {
  const axes = texts.map(parseAxis);
  for (const [i, { path }] of axes.entries()) {
    const other = axes.slice(0, i).find((axis) => overlap(axis.path, path));
    if (!other) continue;
    throw new InputError(
      other.path === path
        ? `--grid ${path} is given twice; list all of its values in one`
        : `--grid ${path} and --grid ${other.path} change the same value`,
    );
  }
  return axes;
}

/** Whether two paths are the same, or one leads into the other. */
export const overlap = (a: string, b: string): boolean =>
  `${a}.`.startsWith(`${b}.`) || `${b}.`.startsWith(`${a}.`);

function rangeAxis(
  { path, from, to, log }: { path: string; from: number; to: number; log: boolean },
  what: string,
): RangeAxis {
  if (!(from < to))
    throw new InputError(`${what}: expected a range that rises; got ${from}..${to}`);
  if (log && from <= 0) {
    throw new InputError(`${what}: a logarithmic range begins above 0; got ${from}`);
  }
  const whole = Number.isInteger(from) && Number.isInteger(to);
  return { path, from, to, scale: log ? 'log' : 'linear', whole };
}

/** Values between commas; commas inside of JSON lists and texts do not count where all of them are JSON. */
function parseValues(text: string): unknown[] {
  try {
    return JSON.parse(`[${text}]`) as unknown[];
  } catch {
    return text.split(',').map((value) => parseValue(value.trim()));
  }
}
