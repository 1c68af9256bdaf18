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
import { stateParams, stateWgsl } from './state.js';

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
  together: HeadsAtOnce;
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
  ({ halves, width, layout, slopes, softCap, split, together }: AttendVariant) =>
    [rowForm(halves, width).stored, layout, slopes, softCap, split, together].join('/'),
  ({ halves, width, layout, slopes, softCap, split, together }) => {
    const form = rowForm(halves, width);
    const { pack, type, stored } = form;
    const room = Math.ceil(widestStepHead / pack);
    const times = (x: string, y: string) => product(form, x, y);
    const turned = (name: string, start: string) => rowLoad(form, name, start, 'angles');
    // Counted from a number that is not known: some drivers unroll what they can count.
    const overLanes = (from: string, body: string) =>
      `for (var n = ${from}; n < ${from} + ${lanes}u; n++) { ${body} }`;
    // What one lane sums up of a head as wide as any.
    const columns = Math.ceil(room / lanes);
    const modified = (score: string, distance: string) => {
      const near = slopes ? `${score} - slope * f32(${distance})` : score;
      return softCap ? `params.soft_cap * tanh((${near}) / params.soft_cap)` : near;
    };
    const eachHead = (text: (r: number) => string, separator?: string) =>
      each(together, text, separator);
    /** The number of head r in a vector of heads. */
    const of = (vector: string, r: number) => (together === 1 ? vector : `${vector}[${r}]`);
    const ofHeads = (text: (r: number) => string) => `Heads(${eachHead(text, ', ')})`;
    /** A key's products with the queries, and what the score function makes of them. */
    const scored = (key: (c: string) => string, distance: string) => /* wgsl */ `
      var score = Heads();
      for (var c = 0u; c < params.stored; c++) {
        let x = ${key('c')};
        ${eachHead((r) => `${of('score', r)} += ${times(`q_rows[c][${r}]`, 'x')};`)}
      }
      score = ${modified('score', distance)};
    `;
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
        ...stateParams,
      },
      wgsl: /* wgsl */ `
        // A number for each query head of the workgroup.
        alias Heads = ${vectors[together]};
        // Rows of the token's query heads and of a new key and its value, [Dh].
        var<workgroup> q_rows: array<array<${type}, ${together}>, ${room}>;
        var<workgroup> k_row: array<${type}, ${room}>;
        var<workgroup> v_row: array<${type}, ${room}>;
        var<workgroup> weights: array<Heads, ${chunk}>;
        var<workgroup> of_lanes: array<Heads, ${lanes}>;
        const lowest = ${lowest};
        ${stateWgsl}
        ${loadTurned('qkv', layout)}
        fn plain_at(start: u32, channel: u32, angles: u32) -> f32 { return qkv[start + channel]; }

        @compute @workgroup_size(${lanes})
        fn main(
          @builtin(workgroup_id) workgroup: vec3u,
          @builtin(local_invocation_index) lane: u32,
        ) {
          let row = workgroup.z;
          if (place_of(row) < 0) { return; }
          let blocks = (params.group + ${together - 1}u) / ${together}u;
          let kv = workgroup.x / blocks;
          // The workgroup's first query head among those of its keys.
          let first_head = workgroup.x % blocks * ${together}u;
          let split = workgroup.y;
          let position = position_of(row);
          let cached = first_of(row);
          let seen = select(0u, position + 1u - params.window, position + 1u > params.window);
          let newest = position / params.per_split == split;
          let first_key = max(split * params.per_split, seen);
          let end_key = min((split + 1u) * params.per_split, cached);
          if (first_key >= end_key && !newest) { return; }

          let base = (u32(place_of(row)) * params.kv_heads + kv) * params.capacity * params.stored;
          let heads = params.group * params.kv_heads;
          let row_width = (heads + 2u * params.kv_heads) * params.width;
          ${eachHead((r) => `let head${r} = kv * params.group + min(first_head + ${r}u, params.group - 1u);`)}
          ${slopes ? `let slope = ${ofHeads((r) => `slopes[head${r}]`)};` : ''}
          {
            let angles = position * params.pairs;
            let q_start = row * row_width;
            for (var c = lane; c < params.stored; c += ${lanes}u) {
              ${eachHead((r) => `q_rows[c][${r}] = ${turned('qkv', `q_start + head${r} * params.width`)} * params.scale;`)}
            }
          }
          workgroupBarrier();

          var sums: array<array<${type}, ${together}>, ${columns}>;
          // Of the lane's own keys.
          var total = Heads();
          var highest = Heads(lowest);
          for (var first = first_key; first < end_key; first += ${chunk}u) {
            let count = min(${chunk}u, end_key - first);
            var own = Heads(lowest);
            for (var j = lane; j < count; j += ${lanes}u) {
              let key = base + (first + j) * params.stored;
              ${scored((c) => loaded(form, 'cacheK', `key + ${c}`), 'position - (first + j)')}
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
              ${eachHead((r) => `var sum${r} = sums[c / ${lanes}u][${r}] * ${of('shrink', r)};`)}
              let value = base + first * params.stored + c;
              for (var j = 0u; j < count; j++) {
                let weight = weights[j];
                let x = ${loaded(form, 'cacheV', 'value + j * params.stored')};
                ${eachHead((r) => `sum${r} += ${of('weight', r)} * x;`)}
              }
              ${eachHead((r) => `sums[c / ${lanes}u][${r}] = sum${r};`)}
            }
            workgroupBarrier();
          }
          of_lanes[lane] = total;
          workgroupBarrier();
          var whole = Heads();
          ${overLanes('base', 'whole += of_lanes[n - base];')}

          // The new tokens, whose rows of the cache other workgroups may be writing: the token itself, and older ones of its sequence.
          for (var other = 0u; other < params.rows && newest; other++) {
            let at = position_of(other);
            if (place_of(other) != place_of(row) || at > position || at < seen) { continue; }
            let angles = at * params.pairs;
            let k_start = other * row_width + (heads + kv) * params.width;
            let v_start = k_start + params.kv_heads * params.width;
            for (var c = lane; c < params.stored; c += ${lanes}u) {
              let k_new = ${turned('qkv', 'k_start')};
              let v_new = ${turned('plain', 'v_start')};
              k_row[c] = ${kept(form, 'k_new')};
              v_row[c] = ${kept(form, 'v_new')};
              if (other == row && first_head == 0u) {
                cacheK[base + position * params.stored + c] = ${storedAs(form, 'k_new')};
                cacheV[base + position * params.stored + c] = ${storedAs(form, 'v_new')};
              }
            }
            workgroupBarrier();
            ${scored((c) => `k_row[${c}]`, 'position - at')}
            let before = highest;
            highest = max(highest, score);
            let shrink = exp(before - highest);
            let weight = exp(score - highest);
            whole = whole * shrink + weight;
            for (var c = lane; c < params.stored; c += ${lanes}u) {
              ${eachHead((r) => `sums[c / ${lanes}u][${r}] = sums[c / ${lanes}u][${r}] * ${of('shrink', r)} + ${of('weight', r)} * v_row[c];`)}
            }
            workgroupBarrier();
          }
          ${eachHead(
            (r) => /* wgsl */ `if (first_head + ${r}u < params.group) {
              let part = ${split ? `(row * heads + head${r}) * params.splits + split` : `row * heads + head${r}`};
              let to = part * params.width;
              for (var c = lane; c < params.stored; c += ${lanes}u) {
                let sum = sums[c / ${lanes}u][${r}]${split ? '' : ` / ${of('whole', r)}`};
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
  'size' | 'width' | 'splits' | 'per_split' | 'window' | keyof typeof stateParams
> = defineProgram({
  label: 'headwise/AttendStepJoin',
  inputs: { partial: 'f32', peaks: 'f32', state: 'i32' },
  outputs: { y: 'f32' },
  params: {
    size: 'u32',
    width: 'u32',
    splits: 'u32',
    per_split: 'u32',
    window: 'u32',
    ...stateParams,
  },
  wgsl: /* wgsl */ `
    ${stateWgsl}
    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) invocation: vec3u) {
      let row = invocation.y;
      if (invocation.x >= params.size || place_of(row) < 0) { return; }
      let i = row * params.size + invocation.x;
      let position = position_of(row);
      let seen = select(0u, position + 1u - params.window, position + 1u > params.window);
      // Where the cache has no key in the window, the part of the new tokens is the only one.
      let oldest = select(position, seen, seen < first_of(row));
      let head = i / params.width * params.splits;
      let first = head + oldest / params.per_split;
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
