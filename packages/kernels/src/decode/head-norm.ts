import { checkShape, InputError } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { dispatch } from '../dispatch/dispatch.js';
import { defineProgram, type ElementType, variants } from '../dispatch/program.js';
import {
  type RowGroup,
  rowGroup,
  rowGroupExtensions,
  rowGroupKey,
  rowSum,
} from '../dispatch/row-group.js';
import { describeNorm, type Norm } from './normalized.js';

interface Variant {
  group: RowGroup;
  layer: boolean;
}

const floats = (names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name, 'f32'])) as Record<string, ElementType>;

/** The norm's own tensors, of queries and of keys. */
const vectors = ({ layer }: Variant): string[] =>
  layer ? ['q_weight', 'k_weight', 'q_bias', 'k_bias'] : ['q_weight', 'k_weight'];

const program = variants(
  ({ group, layer }: Variant) => `${rowGroupKey(group)}/${layer}`,
  (variant) => {
    const { group, layer } = variant;
    const each = (body: string) =>
      `for (var i = lane; i < width; i += ${group.lanes}u) { ${body} }`;
    // Seen from the part's first value, so that a large offset costs no digits.
    const center = /* wgsl */ `
      shift = x[start];
      var sum = 0.0;
      ${each('sum += x[start + i] - shift;')}
      mean = row_sum(sum, lane) / f32(width);
    `;
    // Weights of queries and of keys may be of two widths: only its own is read.
    const own = (part: string) => /* wgsl */ `
      fn own_${part}(is_query: bool, i: u32) -> f32 {
        if (is_query) { return q_${part}[i]; }
        return k_${part}[i];
      }
    `;
    return defineProgram({
      label: 'headwise/NormalizeHeads',
      enable: rowGroupExtensions(group),
      inputs: floats(['x', ...vectors(variant)]),
      outputs: { y: 'f32' },
      params: {
        ...{ q_parts: 'u32', kv_parts: 'u32', q_width: 'u32', kv_width: 'u32' },
        epsilon: 'f32',
      },
      wgsl: /* wgsl */ `
        ${rowSum(group)}
        ${own('weight')}
        ${layer ? own('bias') : ''}
        @compute @workgroup_size(${group.lanes})
        fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) lane: u32) {
          let part = workgroup.x;
          let is_query = part < params.q_parts;
          let width = select(params.kv_width, params.q_width, is_query);
          let of_queries = params.q_parts * params.q_width;
          let row = workgroup.y * (of_queries + 2u * params.kv_parts * params.kv_width);
          let start = row + select(of_queries + (part - params.q_parts) * width, part * width, is_query);
          if (part >= params.q_parts + params.kv_parts) {
            ${each('y[start + i] = x[start + i];')}
            return;
          }
          var shift = 0.0;
          var mean = 0.0;
          ${layer ? center : ''}
          var squares = 0.0;
          ${each('let centered = (x[start + i] - shift) - mean; squares += centered * centered;')}
          let scale = inverseSqrt(row_sum(squares, lane) / f32(width) + params.epsilon);
          ${each(`
            let value = ((x[start + i] - shift) - mean) * scale * own_weight(is_query, i);
            y[start + i] = value${layer ? ' + own_bias(is_query, i)' : ''};`)}
        }
      `,
    });
  },
);

/** What of a token is normalised. */
export interface HeadNormSizes {
  heads: number;
  kvHeads: number;
  headDim: number;
  /** Whether over all heads of a token at once, `H Dh` queries and `Hkv Dh` keys; default over each head's `Dh`. */
  across?: boolean | undefined;
}

/** The norms of queries and of keys: of one kind, with weights of their own. */
export interface HeadNorms {
  readonly q: Norm;
  readonly k: Norm;
}

/**
 * Queries and keys, each head's normalised over its `Dh` channels, or all heads of a token over theirs at once; values as
 * they are. One dispatch, which reads them where the projection wrote them.
 *
 * @param qkv `[R, (H + 2 Hkv) Dh]`
 * @returns `[R, (H + 2 Hkv) Dh]`
 * @throws ShapeError where shapes do not fit, InputError for two kinds of norms
 * @see Henry et al. 2020, https://arxiv.org/abs/2010.04245; across heads, OLMo Team 2024, https://arxiv.org/abs/2501.00656
 */
export function normalizeHeads(
  qkv: tf.Tensor2D,
  { heads, kvHeads, headDim, across = false }: HeadNormSizes,
  { q, k }: HeadNorms,
): tf.Tensor2D {
  checkShape('normalizeHeads: qkv', qkv.shape, ['R', (heads + 2 * kvHeads) * headDim]);
  const parts = across ? { q: 1, kv: 1 } : { q: heads, kv: kvHeads };
  const width = { q: (heads * headDim) / parts.q, kv: (kvHeads * headDim) / parts.kv };
  const norms = {
    q: describeNorm('normalizeHeads', q, width.q),
    k: describeNorm('normalizeHeads', k, width.kv),
  };
  const { kind } = norms.q.form;
  if (kind === 'none' || kind !== norms.k.form.kind || norms.q.epsilon !== norms.k.epsilon) {
    throw new InputError(
      `normalizeHeads: queries have a norm of the kind '${q.kind}', ε ${norms.q.epsilon}, keys '${k.kind}', ε ${norms.k.epsilon}; expected the same, 'layer' or 'rms'`,
    );
  }
  const inputs: Record<string, tf.Tensor> = { x: qkv };
  for (const [name, { tensors }] of Object.entries(norms)) {
    for (const [part, tensor] of Object.entries(tensors)) {
      inputs[`${name}_${part.replace('norm_', '')}`] = tensor;
    }
  }
  const variant = { group: rowGroup(tf.backend() as WebGPUBackend), layer: kind === 'layer' };
  const missing = vectors(variant).find((name) => !(name in inputs));
  if (missing) throw new InputError(`normalizeHeads: '${missing}' is missing`);
  const { y } = dispatch(tf.backend() as WebGPUBackend, program(variant), {
    inputs,
    outputs: { y: { shape: qkv.shape, dtype: 'float32' } },
    params: {
      ...{ q_parts: parts.q, kv_parts: parts.kv, q_width: width.q, kv_width: width.kv },
      epsilon: norms.q.epsilon,
    },
    workgroups: [parts.q + 2 * parts.kv, qkv.shape[0]],
  });
  return tf.engine().makeTensorFromTensorInfo(y!) as tf.Tensor2D;
}
