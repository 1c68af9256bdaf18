import { checkShape, InputError } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { dispatch } from '../dispatch/dispatch.js';
import { defineProgram, type ElementType, variants } from '../dispatch/program.js';
import type { Tiling } from '../matrix-product/form.js';
import { tilingFor } from '../matrix-product/tiling.js';
import {
  describeNorm,
  keptRows,
  loadNormalized,
  type Norm,
  type NormForm,
  normInputs,
  normKey,
  statisticsPrologue,
} from './normalized.js';

/**
 * A table of tokens, `[V, D]`, whole or cut into two after some row: one buffer may be larger than a
 * device can bind.
 */
export type TokenTable = readonly [tf.Tensor2D] | readonly [tf.Tensor2D, tf.Tensor2D];

const tableInputs = (parts: number, type: 'f32' | 'vec4f' = 'f32'): Record<string, ElementType> =>
  parts === 1 ? { table0: type } : { table0: type, table1: type };

const tableTensors = (table: TokenTable): Record<string, tf.Tensor> =>
  Object.fromEntries(table.map((part, i) => [`table${i}`, part]));

/** `table_at(i)`: what lies at a place of the table, row by row; `params.cut` is where its second part begins. */
const tableAt = (parts: number, type: 'f32' | 'vec4f' = 'f32') => /* wgsl */ `
  fn table_at(i: u32) -> ${type} {
    ${parts === 1 ? '' : 'if (i >= params.cut) { return table1[i - params.cut]; }'}
    return table0[i];
  }
`;

const embedProgram = variants(String, (parts: number) =>
  defineProgram({
    label: 'headwise/EmbedToken',
    inputs: {
      ...tableInputs(parts),
      id: 'i32',
      positions: 'f32',
      position: 'i32',
    } as Record<string, ElementType>,
    outputs: { x: 'f32' },
    params: { inner: 'u32', cut: 'u32' },
    wgsl: /* wgsl */ `
      ${tableAt(parts)}
      @compute @workgroup_size(64)
      fn main(@builtin(global_invocation_id) invocation: vec3u) {
        let k = invocation.x;
        if (k >= params.inner) { return; }
        x[k] = table_at(u32(id[0]) * params.inner + k) + positions[u32(position[0]) * params.inner + k];
      }
    `,
  }),
);

/**
 * The embedding of one token at a position: `E[id] + P[position]`, in one dispatch.
 *
 * @param id int32, `[1]`
 * @param positions `[maxLength, D]`
 * @param position int32, `[1]`
 * @returns `[1, D]`
 * @throws ShapeError where shapes do not fit
 */
export function embedToken(
  table: TokenTable,
  id: tf.Tensor1D,
  positions: tf.Tensor2D,
  position: tf.Tensor1D,
): tf.Tensor2D {
  const inner = checkTable('embedToken', table);
  checkShape('embedToken: id', id.shape, [1]);
  checkShape('embedToken: positions', positions.shape, ['maxLength', inner]);
  checkShape('embedToken: position', position.shape, [1]);
  const { x } = dispatch(tf.backend() as WebGPUBackend, embedProgram(table.length), {
    inputs: { ...tableTensors(table), id, positions, position },
    outputs: { x: { shape: [1, inner], dtype: 'float32' } },
    params: { inner, cut: table[0].size },
    workgroups: [Math.ceil(inner / 64)],
  });
  return tf.engine().makeTensorFromTensorInfo(x) as tf.Tensor2D;
}

interface ScoresVariant {
  tiling: Tiling;
  norm: NormForm;
  parts: number;
  kept: number | undefined;
}

const scoresProgram = variants(
  ({ tiling, norm, parts, kept }: ScoresVariant) =>
    [tiling.key, normKey(norm), parts, kept].join('/'),
  ({ tiling, norm, parts, kept }) =>
    defineProgram({
      label: 'headwise/TokenScores',
      enable: tiling.enable,
      inputs: {
        x: 'f32',
        ...tableInputs(parts, tiling.wide ? 'vec4f' : 'f32'),
        ...normInputs(norm),
      } as Record<string, ElementType>,
      outputs: { scores: 'f32' },
      params: {
        rows: 'u32',
        columns: 'u32',
        inner: 'u32',
        steps: 'u32',
        epsilon: 'f32',
        cut: 'u32',
      },
      wgsl: /* wgsl */ `
        ${tableAt(parts, tiling.wide ? 'vec4f' : 'f32')}
        ${loadNormalized(norm, kept)}
        fn b_start(column: u32) -> u32 { return column * ${tiling.wide ? '(params.inner / 4u)' : 'params.inner'}; }
        fn load_b(start: u32, step: u32) -> array<${tiling.wide ? 'vec4f' : 'f32'}, 1> {
          return array(table_at(start + step));
        }
        fn store(row: u32, column: u32, sum: f32) { scores[row * params.columns + column] = sum; }
        ${tiling.wgsl}
      `,
    }),
);

/**
 * The scores of all tokens, by a head that is tied to their table: `norm(x) Eᵀ`, in one dispatch.
 *
 * @param x `[N, D]`, N from 1 to 8
 * @returns `[N, V]`
 * @throws ShapeError where shapes do not fit
 */
export function tokenScores(x: tf.Tensor2D, table: TokenTable, norm: Norm): tf.Tensor2D {
  const inner = checkTable('tokenScores', table);
  checkShape('tokenScores: x', x.shape, ['N', inner]);
  const [rows] = x.shape;
  const columns = table.reduce((sum, part) => sum + part.shape[0], 0);
  const backend = tf.backend() as WebGPUBackend;
  const { form: normForm, tensors, epsilon } = describeNorm('tokenScores', norm, inner);
  const kept = keptRows(normForm, rows, inner);
  const prologue = statisticsPrologue(normForm, kept);
  const wide = inner % 4 === 0;
  const form = { value: 'f32', pack: 1, columnSums: false, prologue, wide } as const;
  const tiling = tilingFor(backend, form, rows, 'inner');
  const program = scoresProgram({ tiling, norm: normForm, parts: table.length, kept });
  const { scores } = dispatch(backend, program, {
    inputs: { x, ...tableTensors(table), ...tensors },
    outputs: { scores: { shape: [rows, columns], dtype: 'float32' } },
    params: {
      rows,
      columns,
      inner,
      steps: inner,
      epsilon,
      cut: table[0].size / (tiling.wide ? 4 : 1),
    },
    workgroups: tiling.workgroups(rows, columns),
  });
  return tf.engine().makeTensorFromTensorInfo(scores) as tf.Tensor2D;
}

/** The width of a table, whose parts must have the same. */
function checkTable(op: string, table: TokenTable): number {
  const inner = table[0].shape[1];
  if (table.length > 2)
    throw new InputError(`${op}: the table has ${table.length} parts; expected 1 or 2`);
  for (const [i, part] of table.entries()) checkShape(`${op}: part ${i}`, part.shape, ['V', inner]);
  return inner;
}
