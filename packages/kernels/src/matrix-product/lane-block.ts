import { lines, type ProductForm } from './form.js';

/** The block of C whose sums one lane keeps in registers. */
export interface LaneBlock {
  /** Rows, side by side from `first_row` on. */
  rows: number;
  /** Columns, `stride` apart from `first_column` on. */
  columns: number;
  stride: number;
}

/** Steps whose values of a column are added up before they join its sum: short chains round less. */
export const sumRound = 16;

/**
 * WGSL that computes and stores a lane's block, where `first_row` and `first_column` are known.
 *
 * @param parts `step`: adds one step to `sum{row}_{column}`, given `b{column}`; `inRounds`: so many steps at
 * a time, what stands before and after them, `first` being the first
 * @param loadB how a lane gets `b{column}`
 */
export function laneBlock(
  { value, columnSums }: ProductForm,
  { rows, columns, stride }: LaneBlock,
  parts: {
    step: string;
    inRounds?: { steps: number; before: string; after: string } | undefined;
  },
  loadB: (column: number) => string = (c) => `load_b(b_start${c}, step)[0]`,
): string {
  const { step, inRounds } = parts;
  const owned = (line: (column: number) => string) => lines(columns, line);
  const sums = (line: (column: number) => string) => (columnSums ? owned(line) : '');
  const inside = (c: number) => `first_column + ${c * stride}u < params.columns`;
  const oneStep = /* wgsl */ `
    ${owned((c) => `let b${c} = ${loadB(c)};`)}
    ${sums((c) => `part${c} += b${c};`)}
    ${step}
  `;
  const rounds = /* wgsl */ `
    for (var first = 0u; first < params.steps; first += ${inRounds?.steps ?? sumRound}u) {
      ${inRounds?.before ?? ''}
      ${sums((c) => `var part${c} = ${value}();`)}
      let last = min(first + ${inRounds?.steps ?? sumRound}u, params.steps);
      for (var step = first; step < last; step++) { ${oneStep} }
      ${sums((c) => `total${c} += part${c};`)}
      ${inRounds?.after ?? ''}
    }
  `;
  return /* wgsl */ `
    ${owned((c) => `let column${c} = min(first_column + ${c * stride}u, params.columns - 1u);`)}
    ${owned((c) => `let b_start${c} = b_start(column${c});`)}
    ${lines(rows, (r) => owned((c) => `var sum${r}_${c} = ${value}();`))}
    ${sums((c) => `var total${c} = ${value}();`)}
    ${inRounds || columnSums ? rounds : `for (var step = 0u; step < params.steps; step++) { ${oneStep} }`}
    // From an array in a loop, so that the code of store stands once a column, not once a sum.
    var block: array<array<${value}, ${columns}>, ${rows}>;
    ${lines(rows, (r) => owned((c) => `block[${r}][${c}] = sum${r}_${c};`))}
    let end = min(first_row + ${rows}u, params.rows);
    for (var row = first_row; row < end; row++) {
      ${owned((c) => `if (${inside(c)}) { store(row, column${c}, block[row - first_row][${c}]); }`)}
    }
    ${sums((c) => `if (first_row == 0u && ${inside(c)}) { store_sum(column${c}, total${c}); }`)}
  `;
}

/** WGSL that adds `a` times the lane's columns of B to the sums of a row. */
export const addRow = (columns: number, row: number): string =>
  lines(columns, (c) => `sum${row}_${c} += a * b${c};`);
