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
      `for (var i = lane; i < params.width; i += ${group.lanes}u) { ${body} }`;
    // Seen from the head's first value, so that a large offset costs no digits.
    const center = /* wgsl */ `
      shift = x[start];
      var sum = 0.0;
      ${each('sum += x[start + i] - shift;')}
      mean = row_sum(sum, lane) / width;
    `;
    return defineProgram({
      label: 'headwise/NormalizeHeads',
      enable: rowGroupExtensions(group),
      inputs: floats(['x', ...vectors(variant)]),
      outputs: { y: 'f32' },
      params: { heads: 'u32', kv_heads: 'u32', width: 'u32', epsilon: 'f32' },
      wgsl: /* wgsl */ `
        ${rowSum(group)}
        @compute @workgroup_size(${group.lanes})
        fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) lane: u32) {
          let head = workgroup.x;
          let start = (workgroup.y * (params.heads + 2u * params.kv_heads) + head) * params.width;
          if (head >= params.heads + params.kv_heads) {
            ${each('y[start + i] = x[start + i];')}
            return;
          }
          let width = f32(params.width);
          var shift = 0.0;
          var mean = 0.0;
          ${layer ? center : ''}
          var squares = 0.0;
          ${each('let centered = (x[start + i] - shift) - mean; squares += centered * centered;')}
          let scale = inverseSqrt(row_sum(squares, lane) / width + params.epsilon);
          let is_query = head < params.heads;
          ${each(`
            let value = ((x[start + i] - shift) - mean) * scale * select(k_weight[i], q_weight[i], is_query);
            y[start + i] = value${layer ? ' + select(k_bias[i], q_bias[i], is_query)' : ''};`)}
        }
      `,
    });
  },
);

/** The norms of each head's queries and keys: of one kind, with weights of their own. */
export interface HeadNorms {
  readonly q: Norm;
  readonly k: Norm;
}

/**
 * Queries and keys, each head's normalised over its `Dh` channels; values as they are. One dispatch.
 *
 * @param qkv `[R, (H + 2 Hkv) Dh]`
 * @returns `[R, (H + 2 Hkv) Dh]`
 * @throws ShapeError where shapes do not fit, InputError for two kinds of norms
 * @see Henry et al. 2020, https://arxiv.org/abs/2010.04245
 */
export function normalizeHeads(
  qkv: tf.Tensor2D,
  { heads, kvHeads, headDim: width }: { heads: number; kvHeads: number; headDim: number },
  { q, k }: HeadNorms,
): tf.Tensor2D {
  const all = heads + 2 * kvHeads;
  checkShape('normalizeHeads: qkv', qkv.shape, ['R', all * width]);
  const norms = {
    q: describeNorm('normalizeHeads', q, width),
    k: describeNorm('normalizeHeads', k, width),
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
    params: { heads, kv_heads: kvHeads, width, epsilon: norms.q.epsilon },
    workgroups: [all, qkv.shape[0]],
  });
  return tf.engine().makeTensorFromTensorInfo(y!) as tf.Tensor2D;
}
