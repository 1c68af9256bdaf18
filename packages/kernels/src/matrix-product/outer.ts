import { type Along, beginTile, lines, type ProductForm, type Tiling, tileGrid } from './form.js';
import { sumRound } from './lane-block.js';

/** Vectors of four columns that a lane owns, a subgroup's width apart; of two matrices one of each. */
const vectors = 2;
/** Steps whose products join a sum at once: fewer loads and stores of sums, which are more than the registers hold. */
const together = 2;

const parts = ['x', 'y', 'z', 'w'] as const;

/**
 * One subgroup computes a tile from outer products: a lane loads four neighbouring rows of A and eight columns of B, two steps at a
 * time, and A's values are passed around by shuffles.
 *
 * Lines that lie side by side are loaded four at one step, by `vec4f`; others two steps of each, by `vec2f`. Sums are added in the same
 * order either way.
 *
 * The sums lie in an array that a loop stores at the end, so that compilers keep them in memory from the start: to let them be
 * moved between registers and memory takes longer to compile and to run.
 */
export function outerTiling(lanes: number, form: ProductForm, along: Along): Tiling {
  const rows = 4 * lanes;
  const width = 4 * lanes;
  const pair = form.value === 'vec2f';
  const columns = pair ? width : vectors * width;
  const { columnSums } = form;
  const owned = (line: (c: number) => string) => lines(vectors, line);
  const sums = (line: (c: number) => string) => (columnSums ? owned(line) : '');
  const steps = (line: (s: number) => string) => lines(together, line);
  // Where pairs of steps are read there is a whole number of them.
  const whole = along.a === 'inner' || along.b === 'inner';
  const a = fourLines({ operand: 'a', name: 'a', first: 'first_row + lane * 4u', along, whole });
  const b = Array.from({ length: pair ? 1 : vectors }, (_, c) =>
    fourLines({
      ...{ operand: 'b', name: `b${c}`, first: `first_column + ${c * width}u`, along, whole },
    }),
  );
  const readers = [a, ...b];
  const ofB = (c: number, s: number) => (pair ? b[0]!.values(s, `[${c}]`) : b[c]!.values(s));
  const loads = steps(
    (s) => `
      let a_${s} = ${a.values(s)};
      ${owned((c) => `let b_${s}_${c} = ${ofB(c, s)};`)}
      ${sums((c) => `part${c} += b_${s}_${c};`)}
    `,
  );
  const addRow = (row: number) => `{
    ${steps((s) => `let p${s} = subgroupShuffle(a_${s}.${parts[row % 4]}, ${Math.floor(row / 4)}u);`)}
    ${owned((c) => lines(4, (i) => addTo(`block[${row}][${4 * c + i}]`, (s) => `p${s} * b_${s}_${c}.${parts[i]}`)))}
  }`;
  const body = readers.map((reader) => reader.loads).join('\n') + loads + lines(rows, addRow);
  const loop = (from: string, end: string) =>
    `for (var step = ${from}; step < ${end}; step += ${together}u) { ${body} }`;
  const storesFours = form.fours === true && !pair;
  const sum = (c: string) => `block[row - first_row][${c}]`;
  const store = storesFours
    ? /* wgsl */ `
      for (var c = 0u; c < ${4 * vectors}u; c += 4u) {
        let column = first_column + c / 4u * ${width}u;
        let four = vec4f(${['c', 'c + 1u', 'c + 2u', 'c + 3u'].map(sum).join(', ')});
        if (column < params.columns) { store_four(row, column, four); }
      }`
    : /* wgsl */ `
      for (var c = 0u; c < ${pair ? 4 : 4 * vectors}u; c++) {
        let column = first_column + c / 4u * ${width}u + c % 4u;
        if (column < params.columns) { store(row, column, ${pair ? `vec2f(${sum('c')}, ${sum('c + 4u')})` : sum('c')}); }
      }`;
  return {
    key: `outer/${lanes}/${form.value}/${along.a}/${along.b}/${storesFours}`,
    rows,
    workgroups: tileGrid(rows, columns),
    pack: 1,
    wide: true,
    along,
    storesFours,
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
        ${readers.map(({ starts }) => starts).join('\n')}
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
          ${store}
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

/** WGSL of four neighbouring lines of an operand that a lane reads. */
interface FourLines {
  /** Declares where they start. */
  starts: string;
  /** Loads `together` steps, from `step` on. */
  loads: string;
  /** Of the step so many after `step`, a `vec4f`; `matrix` picks one of two. */
  values: (s: number, matrix?: string) => string;
}

function fourLines({
  operand,
  name,
  first,
  along,
  whole,
}: {
  operand: 'a' | 'b';
  name: string;
  /** The first of the lines. */
  first: string;
  along: Along;
  whole: boolean;
}): FourLines {
  const count = operand === 'a' ? 'params.rows' : 'params.columns';
  const start = (line: string) => `${operand}_start(${line})`;
  const load = (from: string, step: string) =>
    `load_${operand}(${from}, ${step})${operand === 'b' ? '[0]' : ''}`;
  if (along[operand] === 'inner') {
    const four = [0, 1, 2, 3];
    return {
      starts: lines(
        4,
        (i) => `let ${name}_start${i} = ${start(`min(${first} + ${i}u, ${count} - 1u)`)};`,
      ),
      loads: lines(4, (i) => `let ${name}_line${i} = ${load(`${name}_start${i}`, 'step')};`),
      values: (s, matrix = '') =>
        `vec4f(${four.map((i) => `${name}_line${i}${matrix}[${s}]`).join(', ')})`,
    };
  }
  // The last steps may be beyond the end, where nothing is added.
  const within = (s: number) => s === 0 || whole;
  const at = (s: number) => (within(s) ? `step + ${s}u` : `min(step + ${s}u, params.steps - 1u)`);
  return {
    starts: `let ${name}_start = ${start(`min(${first}, (${count} - 1u) / 4u * 4u)`)};`,
    loads: lines(together, (s) => `let ${name}_step${s} = ${load(`${name}_start`, at(s))};`),
    values: (s, matrix = '') => {
      const value = `${name}_step${s}${matrix}`;
      return within(s) ? value : `select(vec4f(), ${value}, step + ${s}u < params.steps)`;
    },
  };
}

/** WGSL that adds the products of the steps to a sum, one after the other. */
const addTo = (sum: string, product: (step: number) => string): string =>
  `${sum} = ${Array.from({ length: together }).reduce<string>((so, _, s) => `(${so} + ${product(s)})`, sum)};`;
