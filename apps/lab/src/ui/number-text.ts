/** What a number may be. */
export interface NumberLimits {
  min?: number | undefined;
  max?: number | undefined;
  whole?: boolean | undefined;
  /** No number is an answer, too. */
  optional?: boolean | undefined;
}

const decimal = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/**
 * The number that a text holds: NaN if it is not a number, undefined if it is empty and may be.
 *
 * Only decimal digits count: `0x10` and `1,5` are not numbers here.
 */
export function readNumber(text: string, { optional }: NumberLimits = {}): number | undefined {
  const trimmed = text.trim();
  if (trimmed === '') return optional ? undefined : Number.NaN;
  return decimal.test(trimmed) ? Number(trimmed) : Number.NaN;
}

/** What is wrong with a number; undefined where it is within its limits. */
export function numberProblem(value: unknown, limits: NumberLimits): string | undefined {
  const { min, max, whole, optional } = limits;
  if (value === undefined && optional) return undefined;
  if (typeof value !== 'number' || Number.isNaN(value)) return 'Give a number.';
  if (min !== undefined && value < min) return `At least ${min}.`;
  if (max !== undefined && value > max) return `At most ${max}.`;
  if (!Number.isFinite(value)) return 'Give a number.';
  return whole && !Number.isInteger(value) ? 'Give a whole number.' : undefined;
}
