import type { Measured } from './measure.js';

/** A workload and what each contestant took. */
interface Taken {
  workload: string;
  ours: Measured;
  peers: Record<string, Measured>;
}

/**
 * How memory grows with the length of sequences: for workloads that differ in their last part alone,
 * `T512`, `T1024` …, the exponent e of `bytes ~ T^e`, fitted by least squares of logarithms.
 *
 * @returns a line for each such group of at least two lengths
 */
export function growth(rows: readonly Taken[]): string[] {
  const groups = new Map<string, { length: number; row: Taken }[]>();
  for (const row of rows) {
    const [, name, length] = /^(.*)\/T(\d+)$/.exec(row.workload) ?? [];
    if (name === undefined) continue;
    groups.set(name, [...(groups.get(name) ?? []), { length: Number(length), row }]);
  }
  return [...groups].flatMap(([name, points]) => {
    if (points.length < 2) return [];
    // A peer may not reach the longest.
    const of = (who: (row: Taken) => Measured | undefined) =>
      exponent(
        points.flatMap(({ length, row }) => {
          const measured = who(row);
          return measured ? [[length, measured.peakBytes ?? Number.NaN] as const] : [];
        }),
      );
    const peers = Object.keys(points[0]!.row.peers).map(
      (peer) => `${peer} T^${of(({ peers }) => peers[peer]).toFixed(2)}`,
    );
    return [
      [`${name}: memory of ours T^${of(({ ours }) => ours).toFixed(2)}`, ...peers].join('; '),
    ];
  });
}

/** The slope of a line through the logarithms of points. */
export function exponent(points: readonly (readonly [x: number, y: number])[]): number {
  const logs = points.map(([x, y]) => [Math.log(x), Math.log(y)] as const);
  const mean = (i: 0 | 1) => logs.reduce((sum, log) => sum + log[i], 0) / logs.length;
  const [x, y] = [mean(0), mean(1)];
  const covariance = logs.reduce((sum, log) => sum + (log[0] - x) * (log[1] - y), 0);
  return covariance / logs.reduce((sum, log) => sum + (log[0] - x) ** 2, 0);
}
