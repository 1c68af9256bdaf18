import type { Comparison, ConditionResult, TrialReport } from './report.js';

/** A column of the table: its head, and what stands in it; left out where no condition has it. */
interface Column {
  readonly head: string | ((level: number) => string);
  /** Of texts, which begin a row. */
  readonly left?: boolean | undefined;
  of(result: ConditionResult): string | undefined;
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
const perQuestion = (total: number, { questions, variants }: ConditionResult): number =>
  total / (questions * variants);

const columns: readonly Column[] = [
  { head: 'prompt', left: true, of: ({ prompt }) => prompt },
  { head: 'shots', of: ({ shots }) => String(shots) },
  { head: 'chain', of: ({ chain }) => (chain ? 'yes' : undefined) },
  { head: 'accuracy', of: ({ accuracy }) => percent(accuracy) },
  {
    head: (level) => `${Number((100 * level).toFixed(2))} % interval`,
    of: ({ low, high }) => `${percent(low)} – ${percent(high)}`,
  },
  {
    head: 'variants',
    of: ({ each }) => (each.length > 1 ? String(each.length) : undefined),
  },
  {
    head: 'worst – best',
    of: ({ each }) =>
      each.length > 1 ? `${percent(Math.min(...each))} – ${percent(Math.max(...each))}` : undefined,
  },
  { head: 'ECE', of: ({ calibration }) => calibration?.error.toFixed(3) },
  { head: 'no label', of: ({ unanswered }) => (unanswered > 0 ? percent(unanswered) : undefined) },
  {
    head: 'tokens read',
    of: (result) => perQuestion(result.promptTokens, result).toFixed(0),
  },
  { head: 'written', of: (result) => perQuestion(result.answerTokens, result).toFixed(1) },
  {
    head: 'ms',
    of: (result) =>
      result.seconds === undefined
        ? undefined
        : (1000 * perQuestion(result.seconds, result)).toFixed(result.seconds < 1 ? 1 : 0),
  },
  { head: 'cost', of: ({ cost }) => cost?.toPrecision(3) },
];

/** A table of texts: its head, and a row a condition. */
export interface TrialTable {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Whether the columns are texts, which stand on the left, or numbers. */
  readonly left: readonly boolean[];
}

/** The conditions of a report as a table; tokens and milliseconds are those of a question, the cost is of all. Columns without a value are left out. */
export function trialTable({ conditions, level }: TrialReport): TrialTable {
  const used = columns.filter(({ of }) => conditions.some((result) => of(result) !== undefined));
  return {
    head: used.map(({ head }) => (typeof head === 'string' ? head : head(level))),
    rows: conditions.map((result) => used.map(({ of }) => of(result) ?? '–')),
    left: used.map(({ left }) => left === true),
  };
}

/**
 * A report as lines of text: the table of its conditions, and how the best of them compares with the others.
 *
 * @example
 * for (const line of trialLines(trialReport(records))) console.log(line);
 */
export function trialLines(report: TrialReport): string[] {
  const compared = comparisonsOfBest(report);
  const table = linesOf(trialTable(report));
  return compared.length > 0 ? [...table, '', ...linesOf(comparisonTable(compared))] : table;
}

function linesOf({ head, rows, left }: TrialTable): string[] {
  const widths = head.map((_, i) => Math.max(...[head, ...rows].map((cells) => cells[i]!.length)));
  return [head, ...rows].map((cells) =>
    cells
      .map((cell, i) => (left[i] ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join('  ')
      .trimEnd(),
  );
}

/** Comparisons of one condition with others as a table: differences in points of a hundred, and the p-value before and after adjustment. */
export function comparisonTable(comparisons: readonly Comparison[]): TrialTable {
  const points = (share: number) => `${share < 0 ? '−' : '+'}${Math.abs(100 * share).toFixed(1)}`;
  return {
    head: [`${comparisons[0]?.first}, against`, 'points', 'interval', 'test', 'p', 'adjusted'],
    rows: comparisons.map(({ second, mean, low, high, p, mcnemar, adjusted }) => [
      second,
      points(mean),
      `${points(low)} – ${points(high)}`,
      mcnemar ? `McNemar, ${mcnemar.onlyFirst} : ${mcnemar.onlySecond}` : 'paired bootstrap',
      pText(mcnemar?.p ?? p),
      pText(adjusted),
    ]),
    left: [true, false, false, true, false, false],
  };
}

/** How the condition of the greatest accuracy, of equal ones the first, compares with each other one: its side is the first. */
export function comparisonsOfBest({ conditions, comparisons }: TrialReport): Comparison[] {
  const best = conditions.reduce((a, b) => (b.accuracy > a.accuracy ? b : a)).condition;
  return comparisons.flatMap((one) => {
    if (one.first === best) return [one];
    return one.second === best ? [turned(one)] : [];
  });
}

function turned({ first, second, mean, low, high, mcnemar, ...rest }: Comparison): Comparison {
  return {
    ...{ ...rest, first: second, second: first, mean: -mean, low: -high, high: -low },
    ...(mcnemar
      ? {
          mcnemar: {
            ...{ onlyFirst: mcnemar.onlySecond, onlySecond: mcnemar.onlyFirst, p: mcnemar.p },
          },
        }
      : {}),
  };
}

const pText = (p: number): string => (p < 0.001 ? p.toExponential(1) : p.toFixed(3));
