import { checkShape, InputError } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { dispatch } from '../dispatch/dispatch.js';
import { defineProgram, type ElementType, variants } from '../dispatch/program.js';
import { checkState, type StepState, stateParams, stateValues, stateWgsl } from './state.js';
import {
  type DecodeWeight,
  describeWeights,
  loadWeights,
  sizesOf,
  type WeightForm,
  weightInputs,
  weightKey,
  weightParams,
} from './weight.js';

interface Variant {
  weight: WeightForm;
  positions: boolean;
}

const one = { pack: 1, wide: false };

const program = variants(
  ({ weight, positions }: Variant) => `${weightKey(weight)}/${positions}`,
  ({ weight, positions }) =>
    defineProgram({
      label: 'headwise/EmbedToken',
      inputs: {
        ...weightInputs(weight, one),
        state: 'i32',
        ...(positions ? { positions: 'f32' } : {}),
      } as Record<string, ElementType>,
      outputs: { x: 'f32' },
      params: {
        inner: 'u32',
        count: 'u32',
        scale: 'f32',
        ...stateParams,
        ...weightParams(weight),
      },
      wgsl: /* wgsl */ `
        ${loadWeights(weight, one)}
        ${stateWgsl}
        @compute @workgroup_size(64)
        fn main(@builtin(global_invocation_id) invocation: vec3u) {
          let k = invocation.x;
          let row = invocation.y;
          if (k >= params.inner) { return; }
          // An id that could not be drawn is negative.
          let id = min(u32(max(id_of(row), 0)), params.count - 1u);
          let value = whole(load_b(b_start(id), k)[0], id) * params.scale;
          x[row * params.inner + k] = value${positions ? ' + positions[position_of(row) * params.inner + k]' : ''};
        }
      `,
    }),
);

export interface EmbedOptions {
  /** What embeddings are multiplied by; default 1. */
  scale?: number | undefined;
  /** Added after that, the row of the token's position, `[maxLength, D]`. */
  positions?: tf.Tensor2D | undefined;
}

/**
 * The embeddings of the tokens of a state: `E[id] · scale + P[position]`, in one dispatch.
 *
 * @param table `[V, D]`, in the layout `out-in` or packed, whole or cut after some rows
 * @returns `[R, D]`
 * @throws ShapeError where shapes do not fit, InputError for a table in another layout
 */
export function embedToken(
  table: readonly DecodeWeight[],
  state: StepState,
  { scale = 1, positions }: EmbedOptions = {},
): tf.Tensor2D {
  checkState('embedToken', state);
  const [inner] = sizesOf(table[0]!);
  const { form, columns, tensors, params } = describeWeights('embedToken', table);
  if (form.format === 'f32' && form.contiguous !== 'inner') {
    throw new InputError("embedToken: the table has layout 'in-out'; expected 'out-in'");
  }
  if (positions) checkShape('embedToken: positions', positions.shape, ['maxLength', inner]);
  const { x } = dispatch(
    tf.backend() as WebGPUBackend,
    program({ weight: form, positions: positions !== undefined }),
    {
      inputs: { ...tensors, state, ...(positions ? { positions } : {}) },
      outputs: { x: { shape: [state.shape[0], inner], dtype: 'float32' } },
      params: { inner, count: columns, scale, ...stateValues(state), ...params(one) },
      workgroups: [Math.ceil(inner / 64), state.shape[0]],
    },
  );
  return tf.engine().makeTensorFromTensorInfo(x!) as tf.Tensor2D;
}
