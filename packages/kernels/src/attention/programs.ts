import { lowest } from '../dispatch/peak.js';
import {
  defineProgram,
  type ElementType,
  type ParamType,
  type Program,
} from '../dispatch/program.js';
import { drawing, dropoutParams } from './score/dropped.js';
import { integerDivision } from './score/operations.js';
import type { Score, Site } from './score/score.js';
import { tileTest } from './score/tile-test.js';

/** What is written into a shader; sizes other than the heads' widths come as parameters. */
export interface Variant {
  widths: Widths;
  score: Score;
}

/** The widths of a head: of queries and keys, `Dk`, and of values, `Dv`. */
export interface Widths {
  key: number;
  value: number;
}

/** A program and the rows, of queries or of keys, that one workgroup of it covers. */
export interface Tiled<P> {
  program: P;
  rows: number;
  /** Columns of the output that one workgroup covers, where a wide head takes several; default all. */
  columns?: number;
}

type Backward = 'q' | 'k' | 'v' | 'dy' | 'rows' | 'tables';
export type ForwardProgram = Program<'q' | 'k' | 'v' | 'tables', 'y' | 'stats'>;
export type QueryGradientProgram = Program<Backward, 'dq'>;
export type KeyGradientProgram = Program<Backward, 'dk' | 'dv'>;
export type TableGradientProgram = Program<Backward, 'partial'>;

/** One way to cut attention into workgroups; all ways take the same inputs and give the same outputs. */
export interface Tiling {
  readonly key: string;
  /** Whether the device has room for heads of these widths. */
  fits(widths: Widths): boolean;
  forward(variant: Variant): Tiled<ForwardProgram>;
  queryGradient(variant: Variant): Tiled<QueryGradientProgram>;
  keyGradient(variant: Variant): Tiled<KeyGradientProgram>;
}

/** A tiling that also gives the gradients of tables. */
export interface TableTiling extends Tiling {
  /** @param sites of one table */
  tableGradient(
    variant: Variant,
    sites: readonly Site[],
  ): Tiled<TableGradientProgram> & { lanes: number };
}

const sizeParams = {
  /** All workgroups that have work. */
  tilesOfAll: 'u32',
  /** Tiles of one head. */
  tiles: 'u32',
  heads: 'u32',
  /** Query heads that share a head of keys. */
  group: 'u32',
  queries: 'u32',
  keys: 'u32',
  /** Dk and Dv, once more: a loop with a constant end is unrolled by some drivers, which takes them minutes. */
  keyWidth: 'u32',
  valueWidth: 'u32',
  /** From a query's row to its place among the keys, `Tk − Tq`. */
  shift: 'i32',
} as const;

/** What a program needs besides its body. */
export interface Needs {
  /** WGSL extensions. */
  enable: string[];
  /** WGSL that declares `Rows`, `RowIndices`, `RowInts` and `RowBools`, in which scores are computed. */
  types: string;
}

/**
 * Declares a program that meets scores: what the body uses of the score's functions is written before it.
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
  const params: Record<string, ParamType> = { ...sizeParams, ...more };
  for (const { name, type } of graph.params) params[name] = type;
  for (const n of graph.tables.keys()) params[`table${n}`] = 'i32';
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
      fn tile_of(workgroup: vec3u, count: vec3u) -> u32 { return workgroup.y * count.x + workgroup.x; }
      ${body.includes('floor_div_') ? integerDivision : ''}
      ${body.includes('drawn(') ? drawing : ''}
      ${body}
    `,
  }) as Program<I, O>;
}

/** Declares a forward: output, and of each row its largest score and log Σ exp(s − largest). */
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

/** Declares the gradient of the queries. */
export const defineQueryGradient = (
  variant: Variant,
  needs: Needs,
  wgsl: string,
): QueryGradientProgram =>
  defineScored(
    'headwise/AttentionQueryGradient',
    variant,
    needs,
    backwardInputs,
    { dq: 'f32' },
    wgsl,
  );

/** Declares the gradients of keys and values. */
export const defineKeyGradient = (
  variant: Variant,
  needs: Needs,
  wgsl: string,
): KeyGradientProgram =>
  defineScored(
    'headwise/AttentionKeyGradient',
    variant,
    needs,
    backwardInputs,
    { dk: 'f32', dv: 'f32' },
    wgsl,
  );
