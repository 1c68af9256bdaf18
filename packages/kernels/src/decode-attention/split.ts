import type { PairFunctions } from '../attention/score/functions.js';
import { graphFields } from '../attention/score/graph.js';
import { rowStart, strideFields } from '../attention/strides.js';
import { each } from '../attention/text.js';
import { lowest } from '../dispatch/peak.js';
import {
  defineProgram,
  type ElementType,
  type ParamType,
  type Program,
  variants,
} from '../dispatch/program.js';
import { loadTurned } from '../rotary/load.js';
import type { RotaryLayout } from '../rotary/tables.js';
import { loaded, product, type RowForm, rowLoad, rowStore } from './row-form.js';

/** Heads up to this width run fused. */
export const widestHead = 256;
const lanes = 32;
/** Rows that one workgroup does at once: query heads that share keys, and queries. */
export type RowsAtOnce = 1 | 4;

export type SplitProgram = Program<'q' | 'k' | 'v', 'parts'>;

/** What a program is made for. */
export interface SplitVariant {
  rows: RowsAtOnce;
  /** Whether each sequence has a length of its own. */
  placed: boolean;
  form: RowForm;
  /** How queries are turned, if they are. */
  layout: RotaryLayout | undefined;
  /** Whether tokens take turns in the places of a window. */
  ring: boolean;
  pairs: PairFunctions;
}

/** WGSL of load `c` of a query that is not turned, where it lies. */
const queryLoad = ({ pack }: RowForm, start: string): string =>
  ({
    1: `q[${start} + c]`,
    // Behind an odd width, keys hold a zero: the number here does not matter.
    2: `vec2f(q[${start} + 2u * c], q[${start} + min(2u * c + 1u, params.width - 1u)])`,
    4: `q[${start} / 4u + c]`,
  })[pack];

/**
 * Attention of some rows over a part of the keys: a lane scores a key, then sums columns of the values.
 *
 * It leaves the part's output, not divided, and behind it the largest score and the sum of weights.
 */
export const splitProgram: (variant: SplitVariant) => SplitProgram = variants(
  ({ rows, placed, form, layout, ring, pairs }: SplitVariant) =>
    [rows, placed, form.stored, layout, ring, pairs.key].join('/'),
  ({ rows, placed, form, layout, ring, pairs }): SplitProgram => {
    const { pack, type, stored } = form;
    // One row that is not turned is read where it lies; several are copied, which is as much less to read.
    const copied = rows > 1 || layout !== undefined;
    const part = (vector: string, r: number) => (rows === 1 ? vector : `${vector}[${r}]`);
    const products = (r: number) =>
      product(form, copied ? `query[c][${r}]` : queryLoad(form, part('start', r)), 'x');
    const copy = /* wgsl */ `
      let angles = (sequence * params.tableStride + row % params.queries) * params.pairs;
      for (var c = lane; c < params.stored; c += ${lanes}u) {
        ${each(rows, (r) => `query[c][${r}] = ${rowLoad(form, 'q', part('start', r), part('angles', r))};`)}
      }
      workgroupBarrier();
    `;
    return defineProgram({
      label: 'headwise/DecodeAttention',
      inputs: {
        q: copied || pack !== 4 ? 'f32' : 'vec4f',
        k: stored,
        v: stored,
        ...(placed ? { places: 'i32' } : {}),
        ...(layout ? { cos: 'f32', sin: 'f32' } : {}),
        ...(pairs.graph.tables.length > 0 ? { tables: 'u32' } : {}),
      } as Record<'q' | 'k' | 'v', ElementType>,
      outputs: { parts: 'f32' },
      params: {
        tasks: 'u32',
        splits: 'u32',
        perSplit: 'u32',
        quads: 'u32',
        rows: 'u32',
        queries: 'u32',
        capacity: 'u32',
        width: 'u32',
        stored: 'u32',
        kvHeads: 'u32',
        length: 'u32',
        sinks: 'u32',
        ring: 'u32',
        pairs: 'u32',
        tableStride: 'u32',
        ...strideFields('q'),
        ...graphFields(pairs.graph),
      } as Record<string, ParamType>,
      wgsl: /* wgsl */ `
        alias Rows = ${rows === 1 ? 'f32' : 'vec4f'};
        alias RowIndices = ${rows === 1 ? 'u32' : 'vec4u'};
        const lowest = ${lowest};
        ${copied ? `var<workgroup> query: array<array<${type}, ${rows}>, ${Math.ceil(widestHead / pack)}>;` : ''}
        var<workgroup> weights: array<Rows, ${lanes}>;
        // Each lane's own columns, of each row.
        var<workgroup> sums: array<array<${type}, ${rows}>, ${Math.ceil(widestHead / pack)}>;

        ${copied ? loadTurned('q', layout) : ''}

        ${pairs.wgsl()}

        // The token in a place of a sequence, from the number of its tokens.
        fn token_in(place: u32, end: u32) -> u32 {
          ${
            ring
              ? `if (place < params.sinks) { return place; }
                 return place + params.ring * ((end - 1u - place) / params.ring);`
              : 'return place;'
          }
        }

        // The tokens of a sequence, and how many of them are queries.
        fn placed(sequence: u32) -> vec2u {
          ${
            placed
              ? 'return vec2u(u32(places[2u * sequence]), u32(places[2u * sequence + 1u]));'
              : 'return vec2u(params.length, params.queries);'
          }
        }

        @compute @workgroup_size(${lanes})
        fn main(
          @builtin(workgroup_id) workgroup: vec3u,
          @builtin(num_workgroups) count: vec3u,
          @builtin(local_invocation_index) lane: u32,
        ) {
          let id = workgroup.y * count.x + workgroup.x;
          if (id >= params.tasks) { return; }
          let split = id % params.splits;
          let task = id / params.splits;
          let kv = task / params.quads;
          let base = kv * params.capacity * params.stored;
          let row = task % params.quads * ${rows}u + RowIndices(${each(rows, (r) => `${r}u`, ', ')});
          let own = min(row, RowIndices(params.rows - 1u));
          let place = kv * params.rows + own;
          let sequence = kv / params.kvHeads;
          let firstHead = (kv % params.kvHeads) * (params.rows / params.queries);
          let start = ${rowStart('q', 'sequence', '(firstHead + own / params.queries)', 'own % params.queries')};
          let tokens = placed(sequence);
          let shift = tokens.x - tokens.y;
          // Padding has the position of the last token.
          let position = min(shift + row % params.queries, RowIndices(max(tokens.x, 1u) - 1u));
          let head = firstHead + row / params.queries;
          let stop = min((split + 1u) * params.perSplit, min(tokens.x, params.capacity));

          ${copied ? copy : ''}
          var largest = Rows(lowest);
          var total = Rows();
          for (var j = split * params.perSplit; j < stop; j += ${lanes}u) {
            let key = j + lane;
            let at = base + min(key, stop - 1u) * params.stored;
            var s = Rows();
            for (var c = 0u; c < params.stored; c++) {
              let x = ${loaded(form, 'k', 'at + c')};
              ${each(rows, (r) => `${part('s', r)} += ${products(r)};`)}
            }
            let token = i32(token_in(min(key, stop - 1u), tokens.x));
            ${each(rows, (r) => {
              const pair = `i32(sequence), i32(${part('head', r)}), i32(${part('position', r)}), token, i32(shift)`;
              return `let seen${r} = key < stop && visible_at(${pair});
              let score${r} = select(lowest, score_at(${part('s', r)}, ${pair}), seen${r});`;
            })}
            let seen = ${rowBools(rows, 'seen')};
            s = Rows(${each(rows, (r) => `score${r}`, ', ')});
            workgroupBarrier();
            weights[lane] = s;
            workgroupBarrier();
            // Counted from j: some drivers unroll a loop whose most turns they know, and take seconds.
            let last = min(j + ${lanes}u, stop);
            var peak = largest;
            for (var n = j; n < last; n++) { peak = max(peak, weights[n - j]); }
            let fade = exp(largest - peak);
            largest = peak;
            workgroupBarrier();
            weights[lane] = select(Rows(), exp(s - peak), seen);
            workgroupBarrier();
            total *= fade;
            for (var n = j; n < last; n++) { total += weights[n - j]; }
            for (var c = lane; c < params.stored; c += ${lanes}u) {
              ${each(rows, (r) => `var sum${r} = sums[c][${r}] * ${part('fade', r)};`)}
              for (var n = j; n < last; n++) {
                let weight = weights[n - j];
                let x = ${loaded(form, 'v', 'base + n * params.stored + c')};
                ${each(rows, (r) => `sum${r} += ${part('weight', r)} * x;`)}
              }
              ${each(rows, (r) => `sums[c][${r}] = sum${r};`)}
            }
          }

          ${each(
            rows,
            (r) => /* wgsl */ `if (${part('row', r)} < params.rows) {
              let to = (${part('place', r)} * params.splits + split) * (params.width + 2u);
              if (lane == 0u) {
                parts[to + params.width] = ${part('largest', r)};
                parts[to + params.width + 1u] = ${part('total', r)};
              }
              for (var c = lane; c < params.stored; c += ${lanes}u) {
                let sum = sums[c][${r}];
                ${rowStore(form, 'parts', 'sum')}
              }
            }`,
          )}
        }
      `,
    });
  },
);

/** WGSL of a boolean for each row. */
const rowBools = (rows: RowsAtOnce, name: string) =>
  rows === 1 ? `${name}0` : `vec4<bool>(${each(rows, (r) => `${name}${r}`, ', ')})`;
