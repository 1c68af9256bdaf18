import { checkShape } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { dispatch } from '../dispatch/dispatch.js';
import { defineProgram, type ElementType, variants } from '../dispatch/program.js';
import { type PairForm, pairColumns, pairInputs, pairLanes, pairSteps } from '../experts/few.js';
import { activationWgsl, type LinearActivation } from '../linear/activation.js';
import { timesOutputScale } from '../packed-linear/webgpu.js';
import { chooseExperts } from './choose-experts.js';
import { decodeLinear } from './linear.js';
import { type Norm, normalizedRows } from './normalized.js';
import { bindingsOf, type DecodeWeight, sizesOf } from './weight.js';

/** A mixture of experts as a step reads it; weights of all experts are one, the outputs of one expert after those of another. */
export interface DecodeExperts {
  /** `[E, D]` */
  readonly router: tf.Tensor2D;
  /** `[E F, D]`, in the layout `out-in` or packed. */
  readonly gate: DecodeWeight;
  /** As the gate. */
  readonly up: DecodeWeight;
  /** `[E D, F]`, in the layout `out-in` or packed. */
  readonly down: DecodeWeight;
  /** `k`: experts of a token. */
  readonly active: number;
  /** Whether the weights of a token's experts are divided by their sum. */
  readonly normalize: boolean;
  /** Of the gate. */
  readonly activation: LinearActivation;
}

interface Variant extends PairForm {
  /** Whether a token's pairs are added up, each times its weight; else each is an output of its own. */
  sum: boolean;
  activation: LinearActivation;
  /** Whether pairs are multiplied by others. */
  times: boolean;
  /** Whether sums are added to others. */
  residual: boolean;
}

const program = variants(
  ({ format, wide, sum, activation, times, residual }: Variant) =>
    [format, wide, sum, activation, times, residual].join('/'),
  (variant) => {
    const { format, sum, activation, times, residual } = variant;
    return defineProgram({
      label: 'headwise/DecodeExperts',
      inputs: {
        a_values: 'f32',
        ...pairInputs(variant),
        choices: 'i32',
        ...(sum ? { weights: 'f32' } : {}),
        ...(times ? { factors: 'f32' } : {}),
        ...(residual ? { residual: 'f32' } : {}),
      } as Record<string, ElementType>,
      outputs: { c_values: 'f32' },
      params: { columns: 'u32', inner: 'u32', share: 'u32', group: 'u32', stride: 'u32' },
      wgsl: /* wgsl */ `
        ${pairLanes(variant)}
        ${activationWgsl[activation]}
        @compute @workgroup_size(64)
        fn main(
          @builtin(workgroup_id) workgroup: vec3u,
          @builtin(local_invocation_index) lane: u32,
        ) {
          let row = workgroup.y;
          let own = workgroup.x * ${pairColumns}u + column_of(lane);
          let slice = slice_of(lane);
          var all = 0.0;
          for (var j = 0u; j < ${sum ? 'params.share' : '1u'}; j++) {
            let pair = ${sum ? 'row * params.share + j' : 'row'};
            let a_start = ${sum ? 'pair' : 'row / params.share'} * params.inner;
            // A column of all experts' weights.
            let column = u32(choices[pair]) * params.columns + min(own, params.columns - 1u);
            var sum = 0.0;
            ${pairSteps(variant)}
            all += sum${format === 'f32' ? '' : timesOutputScale(format)}${sum ? ' * weights[pair]' : ''};
          }
          let total = whole_sum(all, lane);
          if (slice == 0u && own < params.columns) {
            let i = row * params.columns + own;
            c_values[i] = activation(total)${times ? ' * factors[i]' : ''}${residual ? ' + residual[i]' : ''};
          }
        }
      `,
    });
  },
);

/**
 * A mixture of gated feed-forward layers for few tokens, `Σ_j p_j (f(x W_g^j) ∘ x W_u^j) W_d^j + residual`: five dispatches, and one
 * for a norm. The experts of a token are chosen, and their weights found, on the device.
 *
 * For inference on WebGPU: it has no gradient.
 *
 * @param x `[N, D]`, N from 1 to 8
 * @param norm applied to the rows before
 * @param residual added at the end, `[N, D]`
 * @returns `[N, D]`
 * @throws ShapeError where shapes do not fit, InputError for another number of rows
 */
export function decodeExperts(
  x: tf.Tensor2D,
  experts: DecodeExperts,
  {
    norm = { kind: 'none' },
    residual,
  }: { norm?: Norm | undefined; residual?: tf.Tensor2D | undefined } = {},
): tf.Tensor2D {
  const { router, gate, up, down, active, normalize, activation } = experts;
  const [count, dim] = router.shape;
  checkShape('decodeExperts: x', x.shape, ['N', dim]);
  const hidden = sizesOf(gate)[1] / count;
  checkShape('decodeExperts: gate', sizesOf(gate), [dim, count * Math.ceil(hidden)]);
  checkShape('decodeExperts: up', sizesOf(up), sizesOf(gate));
  checkShape('decodeExperts: down', sizesOf(down), [hidden, count * dim]);
  return tf.tidy(() => {
    const rows = normalizedRows(x, norm);
    const scores = decodeLinear(rows, { values: router, layout: 'out-in' });
    const chosen = chooseExperts(scores, active, normalize);
    const multiply = (a: tf.Tensor2D, weight: DecodeWeight, more: PairOptions) =>
      multiplyPairs(a, weight, chosen, { ...more, experts: count });
    const gates = multiply(rows, gate, { activation });
    const gated = multiply(rows, up, { times: gates });
    return multiply(gated, down, { sum: true, residual });
  });
}

interface PairOptions {
  sum?: boolean;
  activation?: LinearActivation;
  times?: tf.Tensor2D | undefined;
  residual?: tf.Tensor2D | undefined;
}

/** Rows times the weights of their experts: `[N, K] → [N k, P]`, or `[N k, K] → [N, P]` summed. */
function multiplyPairs(
  a: tf.Tensor2D,
  weight: DecodeWeight,
  { choices, weights }: { choices: tf.Tensor2D; weights: tf.Tensor2D },
  { experts, sum = false, activation = 'none', times, residual }: PairOptions & { experts: number },
): tf.Tensor2D {
  const backend = tf.backend() as WebGPUBackend;
  const [tokens, share] = choices.shape;
  const [inner, all] = sizesOf(weight);
  const columns = all / experts;
  // A weight in several bindings may leave none for what is added or multiplied.
  const others = (sum ? 4 : 3) + (times || residual ? 1 : 0);
  const most = backend.device.limits.maxStorageBuffersPerShaderStage;
  if ((times || residual) && bindingsOf(backend.device, weight) + others > most) {
    const plain = { experts, sum, activation };
    const y = multiplyPairs(a, weight, { choices, weights }, plain);
    return times ? y.mul(times) : y.add(residual!);
  }
  const packed = 'words' in weight;
  const variant: Variant = {
    format: packed ? weight.format : 'f32',
    wide: !packed && inner % 4 === 0,
    sum,
    activation,
    times: !!times,
    residual: !!residual,
  };
  const rows = sum ? tokens : tokens * share;
  const { c_values: c } = dispatch(backend, program(variant), {
    inputs: {
      a_values: a,
      ...(packed ? { words: weight.words } : { b_values: weight.values }),
      ...(packed && weight.scales ? { scales: weight.scales } : {}),
      choices,
      ...(sum ? { weights } : {}),
      ...(times ? { factors: times } : {}),
      ...(residual ? { residual } : {}),
    },
    outputs: { c_values: { shape: [rows, columns], dtype: 'float32' } },
    params: {
      columns,
      inner,
      share,
      group: packed ? weight.group : 1,
      stride: packed ? weight.words.shape[1]! : 1,
    },
    workgroups: [Math.ceil(columns / pairColumns), rows],
  });
  return tf.engine().makeTensorFromTensorInfo(c!) as tf.Tensor2D;
}
