import { beginTile, lines, type ProductForm, type Tiling, tileGrid } from './form.js';
import { sumRound } from './lane-block.js';

/** Vectors of four columns that a lane owns, a subgroup's width apart; of two matrices one of each. */
const vectors = 2;
/** Steps whose products join a sum at once: fewer loads and stores of sums, which are more than the registers hold. */
const together = 2;

const parts = ['x', 'y', 'z', 'w'] as const;

/**
 * One subgroup computes a tile from outer products: a lane loads four neighbouring rows of A and eight columns of B at a
 * step, and A's values are passed around by shuffles.
 *
 * The sums lie in an array that a loop stores at the end, so that compilers keep them in memory from the start: to let them be
 * moved between registers and memory takes longer to compile and to run.
 */
export function outerTiling(lanes: number, form: ProductForm): Tiling {
  const rows = 4 * lanes;
  const width = 4 * lanes;
  const pair = form.value === 'vec2f';
  const columns = pair ? width : vectors * width;
  const { columnSums } = form;
  const owned = (line: (c: number) => string) => lines(vectors, line);
  const sums = (line: (c: number) => string) => (columnSums ? owned(line) : '');
  const steps = (line: (s: number) => string) => lines(together, line);
  // The last steps may be beyond the end, where nothing is added.
  const at = (s: number) => (s === 0 ? 'step' : `min(step + ${s}u, last)`);
  const added = (value: string, s: number) =>
    s === 0 ? value : `select(vec4f(), ${value}, step + ${s}u <= last)`;
  const loadB = (c: number, s: number) =>
    pair ? `pair${s}[${c}]` : `load_b(b_start${c}, ${at(s)})[0]`;
  const loads = steps(
    (s) => `
      let a${s} = ${added(`load_a(own_a, ${at(s)})`, s)};
      ${pair ? `let pair${s} = load_b(b_start0, ${at(s)})[0];` : ''}
      ${owned((c) => `let b${s}_${c} = ${added(loadB(c, s), s)};`)}
      ${sums((c) => `part${c} += b${s}_${c};`)}
    `,
  );
  const addRow = (row: number) => `{
    ${steps((s) => `let p${s} = subgroupShuffle(a${s}.${parts[row % 4]}, ${Math.floor(row / 4)}u);`)}
    ${owned((c) => lines(4, (i) => addTo(`block[${row}][${4 * c + i}]`, (s) => `p${s} * b${s}_${c}.${parts[i]}`)))}
  }`;
  const body = loads + lines(rows, addRow);
  const loop = (from: string, end: string) =>
    `for (var step = ${from}; step < ${end}; step += ${together}u) { ${body} }`;
  return {
    key: `outer/${lanes}/${form.value}`,
    rows,
    workgroups: tileGrid(rows, columns),
    pack: 1,
    wide: true,
    bySteps: true,
    enable: ['subgroups'],
    wgsl: () => /* wgsl */ `
      @compute @workgroup_size(${lanes})
      fn main(
        @builtin(workgroup_id) workgroup: vec3u,
        @builtin(num_workgroups) count: vec3u,
        @builtin(subgroup_invocation_id) lane: u32,
      ) {
        let first_row = (workgroup.z * count.y + workgroup.y) * ${rows}u;
        let first_column = workgroup.x * ${columns}u + lane * 4u;
        if (first_row >= params.rows) { return; }
        ${beginTile(form, 'first_row')}
        let own_a = a_start(min(first_row + lane * 4u, (params.rows - 1u) / 4u * 4u));
        ${owned((c) => `let b_start${c} = b_start(min(first_column + ${c * width}u, (params.columns - 1u) / 4u * 4u));`)}
        let last = params.steps - 1u;
        var block: array<array<f32, ${4 * vectors}>, ${rows}>;
        ${sums((c) => `var total${c} = vec4f();`)}
        ${
          columnSums
            ? `for (var first = 0u; first < params.steps; first += ${sumRound}u) {
                ${sums((c) => `var part${c} = vec4f();`)}
                ${loop('first', `min(first + ${sumRound}u, params.steps)`)}
                ${sums((c) => `total${c} += part${c};`)}
              }`
            : loop('0u', 'params.steps')
        }
        let end = min(first_row + ${rows}u, params.rows);
        for (var row = first_row; row < end; row++) {
          for (var c = 0u; c < ${pair ? 4 : 4 * vectors}u; c++) {
            let column = first_column + c / 4u * ${width}u + c % 4u;
            if (column < params.columns) { store(row, column, ${pair ? 'vec2f(block[row - first_row][c], block[row - first_row][c + 4u])' : 'block[row - first_row][c]'}); }
          }
        }
        ${sums(
          (c) => `
          if (first_row == 0u) {
            for (var i = 0u; i < 4u; i++) {
              let column = first_column + ${c * width}u + i;
              if (column < params.columns) { store_sum(column, total${c}[i]); }
            }
          }
        `,
        )}
      }
    `,
  };
}

/** WGSL that adds the products of the steps to a sum, one after the other. */
const addTo = (sum: string, product: (step: number) => string): string =>
  `${sum} = ${Array.from({ length: together }).reduce<string>((so, _, s) => `(${so} + ${product(s)})`, sum)};`;
