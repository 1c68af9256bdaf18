import type { BackendReport } from '@headwise/core';
import { type Distance, distanceBetween } from './compare.js';

/** One comparison of a receipt. */
export interface Check extends Distance {
  /** What was computed: an operation with its size, or a model. */
  subject: string;
  /** The output, the state or the gradient that was compared. */
  part: string;
  /** The largest `rmsRatio` that is accepted. */
  bound: number;
  /** Expected and computed values are both 0 up to rounding, so their ratio is meaningless. */
  zero: boolean;
  ok: boolean;
}

/** The comparisons of one run on one adapter. */
export interface Receipt {
  /** When it was made, ISO 8601. */
  date: string;
  backend: string;
  /** Null where there is no GPU. */
  adapter: string | null;
  checks: Check[];
  /** Whether every check is within its bound. */
  ok: boolean;
}

/** A root mean square of differences below this is rounding, as of gradients that are 0 but for it. */
const floor = 1e-6;

const rms = (values: ArrayLike<number>): number =>
  Math.sqrt(Array.from(values).reduce((sum, x) => sum + x * x, 0) / Math.max(1, values.length));

/** Compares values with those expected. */
export function checkOf(
  subject: string,
  part: string,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  bound: number,
): Check {
  const measured = distanceBetween(actual, expected);
  const zero = measured.rmsError <= floor && rms(expected) <= floor;
  const ok = measured.rmsRatio <= bound || measured.rmsError <= floor;
  return { subject, part, ...measured, bound, zero, ok };
}

/** The receipt of some checks on the backend that was started. */
export function receiptOf({ backend, adapter }: BackendReport, checks: Check[]): Receipt {
  return {
    date: new Date().toISOString(),
    backend,
    adapter,
    checks,
    ok: checks.length > 0 && checks.every(({ ok }) => ok),
  };
}

/**
 * A receipt as a table of text: the worst check of each subject and kind of part, and the number of checks of that kind.
 */
export function receiptTable({ checks }: Receipt): string {
  const rows = worstChecks(checks).map(({ worst: c, count }) => [
    c.subject,
    c.part,
    String(count),
    c.maxAbsError.toExponential(1),
    c.zero ? 'zero' : c.rmsRatio.toExponential(1),
    c.zero ? 'zero' : c.cosine.toFixed(7),
    c.bound.toExponential(0),
    c.ok ? 'ok' : 'NOT OK',
  ]);
  const head = ['subject', 'part', 'worst of', 'max abs', 'rms ratio', 'cosine', 'bound', ''];
  const widths = head.map((_, i) => Math.max(...[head, ...rows].map((row) => row[i]!.length)));
  return [head, ...rows]
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** The check farthest from its reference, for each subject and kind of part (`gradient.x`, `gradient.w` are one kind), and their number. */
export function worstChecks(checks: readonly Check[]): { worst: Check; count: number }[] {
  const kinds = new Map<string, { worst: Check; count: number }>();
  for (const each of checks) {
    const [kind] = each.part.split(/[.:]/);
    const key = `${each.subject}\n${kind}`;
    const { worst, count } = kinds.get(key) ?? { worst: each, count: 0 };
    kinds.set(key, { worst: farther(each, worst) ? each : worst, count: count + 1 });
  }
  return [...kinds.values()];
}

/** Failed checks first, zeros last. */
function farther(a: Check, b: Check): boolean {
  if (a.ok !== b.ok) return !a.ok;
  if (a.zero !== b.zero) return b.zero;
  return !(a.rmsRatio / a.bound <= b.rmsRatio / b.bound);
}
