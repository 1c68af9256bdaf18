import { lowest } from '../dispatch/peak.js';
import {
  defineProgram,
  type ElementType,
  type ParamType,
  type Program,
} from '../dispatch/program.js';
import { drawing, dropoutParams } from './score/dropped.js';
import { graphFields } from './score/graph.js';
import { integerDivision } from './score/operations.js';
import type { Score, TableLookup } from './score/score.js';
import { tileTest } from './score/tile-test.js';
import { headStart, strideFields } from './strides.js';

/** What a shader's text depends on; all sizes but the heads' widths are parameters. */
export interface Variant {
  widths: Widths;
  score: Score;
  /** Only for the gradients of keys and values: both are parts of one tensor. */
  joined?: boolean | undefined;
  /** Only for the gradient of queries: it computes the statistics of rows itself instead of reading them. With tables there is no room for that. */
  makesRows?: boolean | undefined;
}

/** Head widths: `key` of queries and keys, `Dk`; `value` of values, `Dv`. */
export interface Widths {
  key: number;
  value: number;
}

/** A program and the number of rows, queries or keys, that one workgroup computes. */
export interface Tiled<P> {
  program: P;
  rows: number;
  /** Output columns of one workgroup, where a wide head takes several workgroups; default all. */
  columns?: number | undefined;
}

type Backward = 'q' | 'k' | 'v' | 'dy' | 'rows' | 'tables';
export type ForwardProgram = Program<'q' | 'k' | 'v' | 'tables', 'y' | 'stats'>;
export type QueryGradientProgram = Program<Backward | 'y' | 'stats', 'dq' | 'rows'>;
export type KeyGradientProgram = Program<Backward, 'dk' | 'dv' | 'dkv'>;
export type TableGradientProgram = Program<Backward, 'partial'>;

/** A division of attention into workgroups; all tilings have the same inputs and outputs. */
export interface Tiling {
  readonly key: string;
  /** Whether heads of these widths fit in the device's workgroup memory. */
  fits(widths: Widths): boolean;
  forward(variant: Variant): Tiled<ForwardProgram>;
  queryGradient(variant: Variant): Tiled<QueryGradientProgram>;
  keyGradient(variant: Variant): Tiled<KeyGradientProgram>;
}

/** A tiling that can also compute the gradients of tables. */
export interface TableTiling extends Tiling {
  /** @param lookups all look-ups of one table */
  tableGradient(
    variant: Variant,
    lookups: readonly TableLookup[],
  ): Tiled<TableGradientProgram> & { lanes: number };
}

/** Where the rows of queries, keys, values and outputs lie; gradients lie as what they are of. */
const strideParams = {
  ...strideFields('q'),
  ...strideFields('k'),
  ...strideFields('v'),
  ...strideFields('y'),
} as const;

/** WGSL functions from a head of the batch, `b · H + h`, to its first number in a buffer. */
const bases = /* wgsl */ `
  fn q_base(head: u32) -> u32 { return ${headStart('q', 'head / params.heads', 'head % params.heads')}; }
  fn y_base(head: u32) -> u32 { return ${headStart('y', 'head / params.heads', 'head % params.heads')}; }
  fn k_base(head: u32) -> u32 {
    let heads = params.heads / params.group;
    return ${headStart('k', 'head / heads', 'head % heads')};
  }
  fn v_base(head: u32) -> u32 {
    let heads = params.heads / params.group;
    return ${headStart('v', 'head / heads', 'head % heads')};
  }
`;

const sizeParams = {
  /** Workgroups with work; the grid may be larger. */
  tilesOfAll: 'u32',
  /** Tiles per head. */
  tiles: 'u32',
  heads: 'u32',
  /** Query heads per key head, `H / Hkv`. */
  group: 'u32',
  queries: 'u32',
  keys: 'u32',
  /** `Dk` and `Dv`, as parameters: some drivers unroll a loop with a constant end, which takes them minutes. */
  keyWidth: 'u32',
  valueWidth: 'u32',
  /** From a query's row to its position, `Tk − Tq`: the last query stands at the last key. */
  shift: 'i32',
  ...strideParams,
} as const;

/** WGSL that precedes a program's body. */
export interface Needs {
  /** WGSL extensions. */
  enable: string[];
  /** Declares `Rows`, `RowIndices`, `RowInts` and `RowBools`, the vectors with one component per row of a lane. */
  types: string;
}

/**
 * Defines a program that computes scores; emits the helper functions that its body calls.
 *
 * In scope for the body: `params`, `tables`, `lowest` (`f32`, the score of a masked pair), `tile_of`, `q_base`, `k_base`,
 * `v_base` and `y_base`, `key_stop`, `tile_hidden`, `floor_div_one`, `floor_div_rows` and `drawn`.
 *
 * @param more fields of `params`
 */
export function defineScored<I extends string, O extends string>(
  label: string,
  { score }: Variant,
  { enable, types }: Needs,
  inputs: Record<Exclude<I, 'tables'>, ElementType>,
  outputs: Record<O, ElementType>,
  wgsl: string,
  more: Record<string, ParamType> = {},
): Program<I, O> {
  const { graph, dropout } = score;
  const body = `${tileTest(score)} ${wgsl}`;
  const params = { ...sizeParams, ...more, ...graphFields(graph) };
  return defineProgram<string, O, string>({
    label,
    enable,
    // A binding that the shader does not use would be refused.
    inputs: { ...inputs, ...(body.includes('tables[') ? { tables: 'u32' } : {}) },
    outputs,
    params: dropout ? { ...params, ...dropoutParams } : params,
    wgsl: /* wgsl */ `
      ${types}
      const lowest = ${lowest};
      ${bases}
      fn tile_of(workgroup: vec3u, count: vec3u) -> u32 { return workgroup.y * count.x + workgroup.x; }
      ${body.includes('floor_div_') ? integerDivision('one') + integerDivision('rows') : ''}
      ${body.includes('drawn(') ? drawing : ''}
      ${body}
    `,
  }) as Program<I, O>;
}

/** Defines a forward: `y` of each query, and `stats` `[B, H, Tq, 2]`, the largest score and `log Σ e^(s − largest)`. */
export const defineForward = (variant: Variant, needs: Needs, wgsl: string): ForwardProgram =>
  defineScored(
    'headwise/Attention',
    variant,
    needs,
    { q: 'f32', k: 'f32', v: 'f32' },
    { y: 'f32', stats: 'f32' },
    wgsl,
  );

export const backwardInputs = {
  q: 'f32',
  k: 'f32',
  v: 'f32',
  dy: 'f32',
  rows: 'vec4f',
} as const;

/** Defines the gradient of the queries, `dq`, and perhaps of the statistics of rows. */
export const defineQueryGradient = (
  variant: Variant,
  needs: Needs,
  wgsl: string,
): QueryGradientProgram => {
  const { rows, ...others } = backwardInputs;
  const made = { inputs: { ...others, y: 'f32', stats: 'f32' }, outputs: { dq: 'f32', rows } };
  const read = { inputs: backwardInputs, outputs: { dq: 'f32' } };
  const { inputs, outputs } = variant.makesRows ? made : read;
  return defineScored<Backward | 'y' | 'stats', 'dq' | 'rows'>(
    'headwise/AttentionQueryGradient',
    variant,
    needs,
    inputs as Record<Exclude<Backward | 'y' | 'stats', 'tables'>, ElementType>,
    outputs as Record<'dq' | 'rows', ElementType>,
    wgsl,
  );
};

/** The buffers that the gradients of keys and values are written to; one buffer must not be bound twice. */
export const keyGradientBuffers = ({ joined }: Variant): { dk: string; dv: string } =>
  joined ? { dk: 'dkv', dv: 'dkv' } : { dk: 'dk', dv: 'dv' };

/** Defines the gradients of keys and values, `dk` and `dv`. */
export const defineKeyGradient = (
  variant: Variant,
  needs: Needs,
  wgsl: string,
): KeyGradientProgram =>
  defineScored<keyof typeof backwardInputs | 'tables', 'dk' | 'dv' | 'dkv'>(
    'headwise/AttentionKeyGradient',
    variant,
    needs,
    backwardInputs,
    // One or two of the three.
    Object.fromEntries(
      Object.values(keyGradientBuffers(variant)).map((name) => [name, 'f32']),
    ) as Record<'dk' | 'dv' | 'dkv', 'f32'>,
    wgsl,
  );
