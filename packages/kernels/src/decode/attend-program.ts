import { each } from '../attention/text.js';
import {
  kept,
  loaded,
  product,
  rowForm,
  rowLoad,
  rowStore,
  storedAs,
} from '../decode-attention/row-form.js';
import { lowest } from '../dispatch/peak.js';
import { defineProgram, type ElementType, type Program, variants } from '../dispatch/program.js';
import { loadTurned } from '../rotary/load.js';
import type { RotaryLayout } from '../rotary/tables.js';

/** Lanes of a workgroup, which has one head of keys and one part of them. */
const lanes = 32;
/** Keys whose weights are held at a time. */
const chunk = 256;
/** The widest head that has room in a workgroup's memory. */
export const widestStepHead = 256;

/** What a program is written for. */
export interface AttendVariant {
  halves: boolean;
  width: number;
  layout: RotaryLayout | undefined;
  slopes: boolean;
  softCap: boolean;
  /** Whether parts are left to be joined. */
  split: boolean;
  /** Query heads of a workgroup, which share their keys. */
  rows: HeadsAtOnce;
}

/** Query heads that a workgroup has at once: each key is read once for all of them. */
export type HeadsAtOnce = 1 | 2 | 3 | 4;

const vectors: Readonly<Record<HeadsAtOnce, string>> = {
  1: 'f32',
  2: 'vec2f',
  3: 'vec3f',
  4: 'vec4f',
};

/** Attention of some query heads, which share a head of keys, over one part of the keys. */
export const attendProgram: (variant: AttendVariant) => Program = variants(
  ({ halves, width, layout, slopes, softCap, split, rows }: AttendVariant) =>
    [rowForm(halves, width).stored, layout, slopes, softCap, split, rows].join('/'),
  ({ halves, width, layout, slopes, softCap, split, rows }) => {
    const form = rowForm(halves, width);
    const { pack, type, stored } = form;
    const room = Math.ceil(widestStepHead / pack);
    const times = (x: string, y: string) => product(form, x, y);
    const row = (name: string, start: string) => rowLoad(form, name, start, 'angles');
    // Counted from a number that is not known: some drivers unroll what they can count.
    const overLanes = (from: string, body: string) =>
      `for (var n = ${from}; n < ${from} + ${lanes}u; n++) { ${body} }`;
    // What one lane sums up of a head as wide as any.
    const columns = Math.ceil(room / lanes);
    const modified = (score: string, distance: string) => {
      const near = slopes ? `${score} - slope * f32(${distance})` : score;
      return softCap ? `params.soft_cap * tanh((${near}) / params.soft_cap)` : near;
    };
    const eachRow = (text: (r: number) => string, separator?: string) =>
      each(rows, text, separator);
    /** Row r of a vector of rows. */
    const of = (vector: string, r: number) => (rows === 1 ? vector : `${vector}[${r}]`);
    const ofRows = (text: (r: number) => string) => `Rows(${eachRow(text, ', ')})`;
    return defineProgram({
      label: 'headwise/AttendStep',
      inputs: {
        qkv: 'f32',
        state: 'i32',
        ...(layout ? { cos: 'f32', sin: 'f32' } : {}),
        ...(slopes ? { slopes: 'f32' } : {}),
      } as Record<string, ElementType>,
      outputs: {
        cacheK: stored,
        cacheV: stored,
        y: 'f32',
        ...(split ? { peaks: 'f32' } : {}),
      } as Record<string, ElementType>,
      params: {
        kv_heads: 'u32',
        group: 'u32',
        width: 'u32',
        stored: 'u32',
        capacity: 'u32',
        per_split: 'u32',
        splits: 'u32',
        window: 'u32',
        pairs: 'u32',
        scale: 'f32',
        soft_cap: 'f32',
      },
      wgsl: /* wgsl */ `
        // A number for each query head of the workgroup.
        alias Rows = ${vectors[rows]};
        // Rows of the new token, [Dh]: of its query heads and of the head of keys and values.
        var<workgroup> q_rows: array<array<${type}, ${rows}>, ${room}>;
        var<workgroup> k_row: array<${type}, ${room}>;
        var<workgroup> v_row: array<${type}, ${room}>;
        var<workgroup> weights: array<Rows, ${chunk}>;
        var<workgroup> of_lanes: array<Rows, ${lanes}>;
        const lowest = ${lowest};
        ${loadTurned('qkv', layout)}
        fn plain_at(start: u32, channel: u32, angles: u32) -> f32 { return qkv[start + channel]; }

        @compute @workgroup_size(${lanes})
        fn main(
          @builtin(workgroup_id) workgroup: vec3u,
          @builtin(local_invocation_index) lane: u32,
        ) {
          let blocks = (params.group + ${rows - 1}u) / ${rows}u;
          let kv = workgroup.x / blocks;
          // The workgroup's first query head among those of its keys.
          let first_row = workgroup.x % blocks * ${rows}u;
          let split = workgroup.y;
          let position = u32(state[0]);
          let seen = select(0u, position + 1u - params.window, position + 1u > params.window);
          let newest = position / params.per_split == split;
          let first_key = max(split * params.per_split, seen);
          let end_key = min((split + 1u) * params.per_split, position);
          if (first_key >= end_key && !newest) { return; }

          let angles = position * params.pairs;
          let base = kv * params.capacity * params.stored;
          let heads = params.group * params.kv_heads;
          ${eachRow((r) => `let head${r} = kv * params.group + min(first_row + ${r}u, params.group - 1u);`)}
          let k_start = (heads + kv) * params.width;
          let v_start = (heads + params.kv_heads + kv) * params.width;
          ${slopes ? `let slope = ${ofRows((r) => `slopes[head${r}]`)};` : ''}
          for (var c = lane; c < params.stored; c += ${lanes}u) {
            let k_new = ${row('qkv', 'k_start')};
            let v_new = ${row('plain', 'v_start')};
            ${eachRow((r) => `q_rows[c][${r}] = ${row('qkv', `head${r} * params.width`)} * params.scale;`)}
            k_row[c] = ${kept(form, 'k_new')};
            v_row[c] = ${kept(form, 'v_new')};
            if (newest && first_row == 0u) {
              cacheK[base + position * params.stored + c] = ${storedAs(form, 'k_new')};
              cacheV[base + position * params.stored + c] = ${storedAs(form, 'v_new')};
            }
          }
          workgroupBarrier();

          var sums: array<array<${type}, ${rows}>, ${columns}>;
          // Of the lane's own keys.
          var total = Rows();
          var highest = Rows(lowest);
          for (var first = first_key; first < end_key; first += ${chunk}u) {
            let count = min(${chunk}u, end_key - first);
            var own = Rows(lowest);
            for (var j = lane; j < count; j += ${lanes}u) {
              var score = Rows();
              let key = base + (first + j) * params.stored;
              for (var c = 0u; c < params.stored; c++) {
                let x = ${loaded(form, 'cacheK', 'key + c')};
                ${eachRow((r) => `${of('score', r)} += ${times(`q_rows[c][${r}]`, 'x')};`)}
              }
              score = ${modified('score', 'position - (first + j)')};
              weights[j] = score;
              own = max(own, score);
            }
            of_lanes[lane] = own;
            workgroupBarrier();
            let before = highest;
            ${overLanes('first', 'highest = max(highest, of_lanes[n - first]);')}
            let shrink = exp(before - highest);
            total *= shrink;
            for (var j = lane; j < count; j += ${lanes}u) {
              let weight = exp(weights[j] - highest);
              weights[j] = weight;
              total += weight;
            }
            workgroupBarrier();
            for (var c = lane; c < params.stored; c += ${lanes}u) {
              ${eachRow((r) => `var sum${r} = sums[c / ${lanes}u][${r}] * ${of('shrink', r)};`)}
              let value = base + first * params.stored + c;
              for (var j = 0u; j < count; j++) {
                let weight = weights[j];
                let x = ${loaded(form, 'cacheV', 'value + j * params.stored')};
                ${eachRow((r) => `sum${r} += ${of('weight', r)} * x;`)}
              }
              ${eachRow((r) => `sums[c / ${lanes}u][${r}] = sum${r};`)}
            }
            workgroupBarrier();
          }
          of_lanes[lane] = total;
          workgroupBarrier();
          var whole = Rows();
          ${overLanes('base', 'whole += of_lanes[n - base];')}

          // The token itself, whose row of the cache another workgroup may be writing.
          var shrink = Rows(1.0);
          var weight = Rows();
          if (newest) {
            var score = Rows();
            for (var c = 0u; c < params.stored; c++) {
              ${eachRow((r) => `${of('score', r)} += ${times(`q_rows[c][${r}]`, 'k_row[c]')};`)}
            }
            score = ${modified('score', '0u')};
            let before = highest;
            highest = max(highest, score);
            shrink = exp(before - highest);
            weight = exp(score - highest);
            whole = whole * shrink + weight;
          }
          ${eachRow(
            (r) => /* wgsl */ `if (first_row + ${r}u < params.group) {
              let part = ${split ? `head${r} * params.splits + split` : `head${r}`};
              let to = part * params.width;
              for (var c = lane; c < params.stored; c += ${lanes}u) {
                let sum = (sums[c / ${lanes}u][${r}] * ${of('shrink', r)} + ${of('weight', r)} * v_row[c])${split ? '' : ` / ${of('whole', r)}`};
                ${rowStore(form, 'y', 'sum')}
              }
              ${
                split
                  ? `if (lane == 0u) {
                      peaks[2u * part] = ${of('highest', r)};
                      peaks[2u * part + 1u] = ${of('whole', r)};
                    }`
                  : ''
              }
            }`,
          )}
        }
      `,
    });
  },
);

/** Brings the parts of each head to one largest score, and divides by the sum of all weights. */
export const joinProgram: Program<
  'partial' | 'peaks' | 'state',
  'y',
  'size' | 'width' | 'splits' | 'per_split' | 'window'
> = defineProgram({
  label: 'headwise/AttendStepJoin',
  inputs: { partial: 'f32', peaks: 'f32', state: 'i32' },
  outputs: { y: 'f32' },
  params: { size: 'u32', width: 'u32', splits: 'u32', per_split: 'u32', window: 'u32' },
  wgsl: /* wgsl */ `
    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) invocation: vec3u) {
      let i = invocation.x;
      if (i >= params.size) { return; }
      let position = u32(state[0]);
      let seen = select(0u, position + 1u - params.window, position + 1u > params.window);
      let head = i / params.width * params.splits;
      let first = head + seen / params.per_split;
      let end = head + position / params.per_split + 1u;
      var largest = peaks[2u * first];
      for (var n = first + 1u; n < end; n++) { largest = max(largest, peaks[2u * n]); }
      var sum = 0.0;
      var total = 0.0;
      for (var n = first; n < end; n++) {
        let share = exp(peaks[2u * n] - largest);
        total += share * peaks[2u * n + 1u];
        sum += share * partial[n * params.width + i % params.width];
      }
      y[i] = sum / total;
    }
  `,
});
