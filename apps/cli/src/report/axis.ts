/** A scale of a chart: where a value lies, and the values that are marked. */
export interface ChartScale {
  at(value: number): number;
  ticks: readonly number[];
}

/** Values from `from` to `to` along pixels from `start` to `end`, evenly, with about `count` round ticks. */
export function linearScale(
  [from, to]: readonly [number, number],
  [start, end]: readonly [number, number],
  count = 5,
): ChartScale {
  const span = to > from ? to - from : Math.abs(from) || 1;
  const step = roundStep(span / count);
  const first = Math.ceil(from / step);
  const ticks: number[] = [];
  for (let i = first; i * step <= from + span * (1 + 1e-9); i++) ticks.push(i * step);
  return { at: (value) => start + ((value - from) / span) * (end - start), ticks };
}

/** As `linearScale`, evenly in the logarithm, with the ends and what lies between as ticks. */
export function logScale(
  values: readonly number[],
  [start, end]: readonly [number, number],
): ChartScale {
  const [from, to] = [Math.log(Math.min(...values)), Math.log(Math.max(...values))];
  const at = (value: number) =>
    start + ((Math.log(value) - from) / (to - from || 1)) * (end - start);
  const decades: number[] = [];
  for (let d = Math.ceil(from / Math.LN10 - 1e-9); d <= to / Math.LN10 + 1e-9; d++)
    decades.push(10 ** d);
  return { at, ticks: decades.length > 1 ? decades : [Math.exp(from), Math.exp(to)] };
}

/** 1, 2 or 5 times a power of ten, at least as large as a number. */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return ([1, 2, 5].find((n) => n * power >= least * (1 - 1e-9)) ?? 10) * power;
}

/** A number on a tick: at most four digits. */
export function tickText(value: number): string {
  const rounded = Number(value.toPrecision(4));
  const size = Math.abs(rounded);
  return size !== 0 && (size < 1e-3 || size >= 1e6) ? rounded.toExponential() : String(rounded);
}
