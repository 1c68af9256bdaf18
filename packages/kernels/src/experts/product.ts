import type * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { dispatch } from '../dispatch/dispatch.js';
import { defineProgram, type ElementType, variants } from '../dispatch/program.js';
import { loadFloats, type Tiling } from '../matrix-product/form.js';
import { tilingFor } from '../matrix-product/tiling.js';
import type { PackedFormat } from '../packed-linear/pack.js';
import { loadWords, scalesInput, timesOutputScale } from '../packed-linear/webgpu.js';

interface Variant {
  tiling: Tiling;
  /** Whether the rows of A are those of tokens, by the number of a pair. */
  ofTokens: boolean;
  format: PackedFormat | 'f32';
}

type Names = 'a_values' | 'b_values' | 'words' | 'scales' | 'order' | 'offsets';

const program = variants(
  ({ tiling, ofTokens, format }: Variant) => `${tiling.key}/${ofTokens}/${format}`,
  ({ tiling, ofTokens, format }) =>
    defineProgram({
      label: 'headwise/ExpertProduct',
      enable: tiling.enable,
      inputs: {
        a_values: 'f32',
        ...(format === 'f32' ? { b_values: 'f32' } : { words: 'u32', ...scalesInput(format) }),
        ...(ofTokens ? { order: 'i32' } : {}),
        offsets: 'i32',
      } as Record<Names, ElementType>,
      outputs: { c_values: 'f32' },
      params: {
        rows: 'u32',
        columns: 'u32',
        inner: 'u32',
        steps: 'u32',
        experts: 'u32',
        share: 'u32',
        group: 'u32',
        stride: 'u32',
        aStep: 'u32',
        bExpert: 'u32',
        bStep: 'u32',
        bColumn: 'u32',
      },
      wgsl: /* wgsl */ `
        // The expert of a tile, its first place less its first row, and the end of the expert's places.
        var<private> expert: u32;
        var<private> shift: i32;
        var<private> end: i32;
        fn begin_tile(row: u32) {
          var tile = row / ${tiling.rows}u;
          expert = 0u;
          shift = 0;
          // Tiles behind the last expert's have no rows.
          end = 0;
          for (var e = 0u; e < params.experts; e++) {
            let first = u32(offsets[e]);
            let last = u32(offsets[e + 1u]);
            let tiles = (last - first + ${tiling.rows! - 1}u) / ${tiling.rows}u;
            if (tile < tiles) {
              expert = e;
              shift = i32(first + tile * ${tiling.rows}u) - i32(row / ${tiling.rows}u * ${tiling.rows}u);
              end = i32(last);
              return;
            }
            tile -= tiles;
          }
        }
        fn place_of(row: u32) -> u32 { return u32(max(min(i32(row) + shift, end - 1), 0)); }
        fn a_start(row: u32) -> u32 {
          return ${ofTokens ? 'u32(order[place_of(row)]) / params.share' : 'place_of(row)'} * params.inner;
        }
        fn load_a(start: u32, k: u32) -> f32 { return a_values[start + k]; }
        fn b_start(column: u32) -> u32 { return expert * params.bExpert + column * params.bColumn; }
        ${format === 'f32' ? loadFloats('b_values', tiling) : loadWords(format, tiling)}
        fn store(row: u32, own: u32, sum: f32) {
          let place = i32(row) + shift;
          if (place >= end) { return; }
          let column = b_start(own);
          c_values[u32(place) * params.columns + own] = sum${format === 'f32' ? '' : timesOutputScale(format)};
        }
        ${tiling.wgsl()}
      `,
    }),
);

/** The weights of all experts, in one matrix; packed ones as `PackedWeight` has them. */
export type ExpertWeights =
  | { values: tf.TensorInfo; transposed: boolean }
  | {
      format: PackedFormat;
      group: number;
      words: tf.TensorInfo;
      scales: tf.TensorInfo | undefined;
    };

/**
 * Rows of each expert times its own weight: `C[r] = A[r] W_e`, in one dispatch; a tile finds its expert from the offsets.
 *
 * @param a `[R, K]` in the order of experts, or `[N, K]` of tokens where `order` is given
 * @param weights `[E P, K]`, or transposed: `[E K, P]`
 * @param offsets `[E + 1]`
 * @returns `[R, P]`
 */
export function expertProduct(
  backend: WebGPUBackend,
  a: tf.TensorInfo,
  weights: ExpertWeights,
  offsets: tf.TensorInfo,
  { pairs, columns, order }: { pairs: number; columns: number; order?: tf.TensorInfo | undefined },
): tf.TensorInfo {
  const [rows, inner] = a.shape as [number, number];
  const experts = offsets.shape[0]! - 1;
  const packed = 'words' in weights;
  const contiguous = packed || weights.transposed ? 'columns' : 'inner';
  const form = { value: 'f32', pack: 1, columnSums: false, batched: true } as const;
  const tiling = tilingFor(backend, form, pairs, contiguous);
  const format = packed ? weights.format : 'f32';
  // Whole tiles, and one that is not whole for each expert that has pairs.
  const tiles = Math.floor(pairs / tiling.rows!) + Math.min(experts, pairs);
  const inputs = {
    a_values: a,
    offsets,
    ...(packed ? { words: weights.words } : { b_values: weights.values }),
    ...(packed && weights.scales ? { scales: weights.scales } : {}),
    ...(order ? { order } : {}),
  };
  const byRows = packed ? false : !weights.transposed;
  const { c_values: c } = dispatch(
    backend,
    program({ tiling, ofTokens: order !== undefined, format }),
    {
      inputs: inputs as Record<Names, tf.TensorInfo>,
      outputs: { c_values: { shape: [pairs, columns], dtype: 'float32' } },
      params: {
        rows: tiles * tiling.rows!,
        columns,
        inner,
        steps: inner,
        experts,
        share: pairs / rows,
        group: packed ? weights.group : 1,
        stride: packed ? weights.words.shape[1]! : 1,
        aStep: 1,
        bExpert: packed ? columns : columns * inner,
        bStep: byRows ? 1 : columns,
        bColumn: byRows ? inner : 1,
      },
      workgroups: tiling.workgroups(tiles * tiling.rows!, columns),
    },
  );
  return c;
}
