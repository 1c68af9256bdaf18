import { defineProgram, type ElementType, type Program } from '../dispatch/program.js';
import type { ScoreCode } from './score.js';

/** What is written into a shader; sizes other than the head's width come as parameters. */
export interface Variant {
  /** `Dh`. */
  width: number;
  score: ScoreCode;
  /** The forward reads lengths of the sequences. */
  padded: boolean;
}

/** A program and the rows, of queries or of keys, that one workgroup of it covers. */
export interface Tiled<P> {
  program: P;
  rows: number;
  /** Columns of the output that one workgroup covers, where a wide head takes several; default all. */
  columns?: number;
}

type Param = keyof typeof params;
type Backward = 'q' | 'k' | 'v' | 'dy' | 'rows';
export type ForwardProgram = Program<'q' | 'k' | 'v' | 'lengths', 'y' | 'stats', Param>;
export type QueryGradientProgram = Program<Backward, 'dq', Param>;
export type KeyGradientProgram = Program<Backward, 'dk' | 'dv', Param>;

/** One way to cut attention into workgroups; all ways take the same inputs and give the same outputs. */
export interface Tiling {
  readonly key: string;
  /** Whether the device has room for heads of this width. */
  fits(width: number): boolean;
  forward(variant: Variant): Tiled<ForwardProgram>;
  queryGradient(variant: Variant): Tiled<QueryGradientProgram>;
  keyGradient(variant: Variant): Tiled<KeyGradientProgram>;
}

const params = {
  /** All workgroups that have work. */
  tilesOfAll: 'u32',
  /** Tiles of one head. */
  tiles: 'u32',
  heads: 'u32',
  /** Query heads that share a head of keys. */
  group: 'u32',
  queries: 'u32',
  keys: 'u32',
  /** Dh, once more: a loop with a constant end is unrolled by some drivers, which takes them minutes. */
  width: 'u32',
  scale: 'f32',
  /** 1 under a causal mask. */
  causal: 'u32',
} as const;

/** The most negative score; finite, so that differences of scores are numbers. */
export const lowest = '-3.0e38';

/** What a program needs besides its body. */
export interface Needs {
  /** WGSL extensions. */
  enable: string[];
  /** WGSL that declares `Rows` and `RowIndices`, in which scores are computed. */
  types: string;
}

/** WGSL at the head of every program: the score, and the tile of a workgroup. */
const common = ({ score }: Variant, { types }: Needs): string => /* wgsl */ `
  ${types}
  ${score.wgsl}
  const lowest = ${lowest};
  fn tile_of(workgroup: vec3u, count: vec3u) -> u32 { return workgroup.y * count.x + workgroup.x; }
`;

/** Declares a forward: output, and of each row its largest score, log Σ exp(s − largest) and end of keys. */
export function defineForward(variant: Variant, needs: Needs, wgsl: string): ForwardProgram {
  const inputs = { q: 'f32', k: 'f32', v: 'f32', ...(variant.padded ? { lengths: 'i32' } : {}) };
  return defineProgram({
    label: 'headwise/Attention',
    enable: needs.enable,
    inputs: inputs as Record<'q' | 'k' | 'v' | 'lengths', ElementType>,
    outputs: { y: 'f32', stats: 'f32' },
    params,
    wgsl: /* wgsl */ `
      ${common(variant, needs)}
      fn length_of(head: u32) -> u32 {
        return ${variant.padded ? 'min(u32(max(lengths[head / params.heads], 0)), params.keys)' : 'params.keys'};
      }
      ${wgsl}
    `,
  });
}

const backwardInputs = { q: 'f32', k: 'f32', v: 'f32', dy: 'f32', rows: 'vec4f' } as const;

/** Declares the gradient of the queries. */
export function defineQueryGradient(
  variant: Variant,
  needs: Needs,
  wgsl: string,
): QueryGradientProgram {
  return defineProgram({
    label: 'headwise/AttentionQueryGradient',
    enable: needs.enable,
    inputs: backwardInputs,
    outputs: { dq: 'f32' },
    params,
    wgsl: common(variant, needs) + wgsl,
  });
}

/** Declares the gradients of keys and values. */
export function defineKeyGradient(
  variant: Variant,
  needs: Needs,
  wgsl: string,
): KeyGradientProgram {
  return defineProgram({
    label: 'headwise/AttentionKeyGradient',
    enable: needs.enable,
    inputs: backwardInputs,
    outputs: { dk: 'f32', dv: 'f32' },
    params,
    wgsl: common(variant, needs) + wgsl,
  });
}
