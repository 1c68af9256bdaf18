import { checkShape, InputError } from '@headwise/core';
import { bindingLimit } from '@headwise/core/internal';
import * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { dispatch, type Range } from '../dispatch/dispatch.js';
import { defineProgram, type ElementType, variants } from '../dispatch/program.js';
import { activationWgsl, type LinearActivation } from '../linear/activation.js';
import { fewRows } from '../matrix-product/few-rows.js';
import type { Tiling } from '../matrix-product/form.js';
import { tilingFor } from '../matrix-product/tiling.js';
import {
  describeNorm,
  keptRows,
  loadNormalized,
  type Norm,
  type NormForm,
  normalizedRows,
  normInputs,
  normKey,
  statisticsPrologue,
} from './normalized.js';
import {
  bindingsOf,
  type DecodeWeight,
  describeWeights,
  formKey,
  loadWeights,
  sizesOf,
  type WeightForm,
  weightInputs,
  weightKey,
  weightParams,
} from './weight.js';

export interface DecodeLinearOptions {
  /** Applied to the rows before; default none. */
  norm?: Norm | undefined;
  /** `[Out]`; of a pair `[2 Out]`, the gate's first. */
  bias?: tf.Tensor | undefined;
  /** Default `none`; of a pair, that of the gate. */
  activation?: LinearActivation | undefined;
  /** Added at the end, `[N, Out]`. */
  residual?: tf.Tensor | undefined;
}

interface Variant {
  tiling: Tiling;
  norm: NormForm;
  kept: number | undefined;
  weight: WeightForm;
  bias: boolean;
  activation: LinearActivation;
  residual: boolean;
}

const program = variants(
  ({ tiling, norm, kept, weight, bias, activation, residual }: Variant) =>
    [tiling.key, normKey(norm), kept, weightKey(weight), bias, activation, residual].join('/'),
  ({ tiling, norm, kept, weight, bias, activation, residual }) => {
    const place = 'params.first_column + column';
    const biased = bias
      ? weight.paired
        ? ' + vec2f(bias[column], bias[params.columns + column])'
        : ` + bias[${place}]`
      : '';
    const value = weight.paired ? 'activation(before.x) * before.y' : 'activation(before)';
    return defineProgram({
      label: 'headwise/DecodeLinear',
      enable: tiling.enable,
      inputs: {
        x: 'f32',
        ...weightInputs(weight, tiling),
        ...(bias ? { bias: 'f32' } : {}),
        ...(residual ? { residual: 'f32' } : {}),
        ...normInputs(norm),
      } as Record<string, ElementType>,
      outputs: { y: 'f32' },
      params: {
        rows: 'u32',
        columns: 'u32',
        inner: 'u32',
        steps: 'u32',
        epsilon: 'f32',
        first_column: 'u32',
        width: 'u32',
        ...weightParams(weight),
      },
      wgsl: /* wgsl */ `
        ${loadNormalized(norm, kept)}
        ${loadWeights(weight, tiling)}
        ${activationWgsl[activation]}
        fn store(row: u32, column: u32, sum: ${weight.paired ? 'vec2f' : 'f32'}) {
          let i = row * params.width + ${place};
          let before = whole(sum, column)${biased};
          y[i] = ${value}${residual ? ' + residual[i]' : ''};
        }
        ${tiling.wgsl()}
      `,
    });
  },
);

/**
 * A linear map of few rows with all that stands around it in a block: `f(norm(x) W + b) + residual`, in one dispatch.
 *
 * Several weights stand side by side, their outputs one after the other: in one dispatch too, where they have one form and the device
 * binds as many buffers. For inference on WebGPU: it has no gradient.
 *
 * @param x `[N, In]`, N from 1 to 8
 * @param weight `[In, Out]`, one or more, perhaps packed
 * @returns `[N, Out]`, of all weights
 * @throws ShapeError where shapes do not fit, InputError for another number of rows
 */
export function decodeLinear(
  x: tf.Tensor2D,
  weight: DecodeWeight | readonly DecodeWeight[],
  options: DecodeLinearOptions = {},
): tf.Tensor2D {
  const weights = Array.isArray(weight) ? weight : [weight as DecodeWeight];
  return multiply('decodeLinear', x, weights, options, false);
}

/**
 * The gated form of `decodeLinear`: `f(norm(x) W_g + b_g) ∘ (norm(x) W_u + b_u)`, in one dispatch where both weights have one form.
 *
 * @param x `[N, In]`, N from 1 to 8
 * @param gate `[In, Out]`, perhaps packed
 * @param up as the gate
 * @returns `[N, Out]`
 * @throws as `decodeLinear`
 */
export function decodeGatedLinear(
  x: tf.Tensor2D,
  gate: DecodeWeight,
  up: DecodeWeight,
  options: DecodeLinearOptions = {},
): tf.Tensor2D {
  const op = 'decodeGatedLinear';
  if (formKey(gate) === formKey(up)) return multiply(op, x, [gate, up], options, true);
  return tf.tidy(() => multiplyApart(op, x, [gate, up], options));
}

/** A gate and what it gates in two forms, as files mix them: a product each, then theirs. */
function multiplyApart(
  op: string,
  x: tf.Tensor2D,
  [gate, up]: readonly [DecodeWeight, DecodeWeight],
  { norm, bias, activation, residual }: DecodeLinearOptions,
): tf.Tensor2D {
  const [, width] = sizesOf(gate);
  checkShape(`${op}: weight 1`, sizesOf(up), sizesOf(gate));
  if (bias) checkShape(`${op}: bias`, bias.shape, [2 * width]);
  const biasAt = (begin: number) => bias?.reshape<tf.Tensor1D>([2 * width]).slice(begin, width);
  const rows = norm && norm.kind !== 'none' ? normalizedRows(x, norm) : x;
  const gates = multiply(op, rows, [gate], { bias: biasAt(0), activation }, false);
  const values = multiply(op, rows, [up], { bias: biasAt(width) }, false);
  const y = gates.mul<tf.Tensor2D>(values);
  return residual ? y.add(residual) : y;
}

function multiply(
  op: string,
  x: tf.Tensor2D,
  weights: readonly DecodeWeight[],
  options: DecodeLinearOptions,
  paired: boolean,
): tf.Tensor2D {
  const { norm = { kind: 'none' }, bias, residual } = options;
  const rows = x.shape[0];
  if (rows < 1 || rows > fewRows) {
    throw new InputError(`${op}: x has ${rows} rows; expected 1 to ${fewRows}`);
  }
  const [inner] = sizesOf(weights[0]!);
  checkShape(`${op}: x`, x.shape, [rows, inner]);
  const widths = weights.map((weight) => sizesOf(weight)[1]);
  const total = widths.reduce((sum, width) => sum + width, 0);
  const width = paired ? widths[0]! : total;
  if (bias) checkShape(`${op}: bias`, bias.shape, [total]);
  if (residual) checkShape(`${op}: residual`, residual.shape, [rows, width]);
  const { form: normForm, tensors: normTensors, epsilon } = describeNorm(op, norm, inner);
  const backend = tf.backend() as WebGPUBackend;
  const others = 2 + Object.keys(normTensors).length + (bias ? 1 : 0) + (residual ? 1 : 0);
  const room = backend.device.limits.maxStorageBuffersPerShaderStage - others;
  const bindings = weights.map((own) => bindingsOf(backend.device, own));
  const least = paired ? bindings[0]! + bindings[1]! : Math.max(...bindings);
  const crowded = least > room && others > 2;
  if (norm.kind !== 'none' && (crowded || rows > rowsNormalizedOnLoad)) {
    // A large weight leaves no bindings for the norm, and the statistics of many rows take each workgroup long.
    const plain = { ...options, norm: undefined };
    return tf.tidy(() => multiply(op, normalizedRows(x, norm), weights, plain, paired));
  }
  let y: tf.TensorInfo | undefined;
  let firstColumn = 0;
  const parts = paired
    ? [{ group: weights, range: undefined }]
    : groupsOf(weights, bindings, room).flatMap((group) => rangesOf(backend.device, group));
  for (const { group, range } of parts) {
    const { form, pack, wide, tensors, params, ...described } = describeWeights(op, group, paired);
    const columns = range?.columns ?? described.columns;
    const rowRoom = keptRows(normForm, rows, inner);
    const tiling = tilingFor(
      backend,
      {
        value: paired ? 'vec2f' : 'f32',
        pack,
        columnSums: false,
        prologue: statisticsPrologue(normForm, rowRoom),
        blocks: blocksFor(columns),
        wide,
      },
      rows,
      form.contiguous,
    );
    const variant = {
      tiling,
      norm: normForm,
      kept: tiling.rereads ? rowRoom : undefined,
      weight: form,
      bias: bias !== undefined,
      activation: options.activation ?? 'none',
      residual: residual !== undefined,
    };
    ({ y } = dispatch(backend, program(variant), {
      inputs: {
        x,
        ...tensors,
        ...(bias ? { bias } : {}),
        ...(residual ? { residual } : {}),
        ...normTensors,
      },
      outputs: { y: y ?? { shape: [rows, width], dtype: 'float32' } },
      params: {
        rows,
        columns,
        inner,
        steps: Math.ceil(inner / tiling.pack),
        epsilon,
        first_column: firstColumn,
        width,
        ...params(tiling),
      },
      workgroups: tiling.workgroups(rows, columns),
      ...(range ? { ranges: { weight0: { offset: range.offset, size: range.size } } } : {}),
    }));
    firstColumn += columns;
  }
  return tf.engine().makeTensorFromTensorInfo(y!) as tf.Tensor2D;
}

/** The most rows that are normalised where the product loads them; more take a dispatch of their own. */
const rowsNormalizedOnLoad = 2;

/** Workgroups that a product should have at least, to fill a GPU. */
const manyWorkgroups = 64;

/** Blocks of eight columns for a workgroup, which finds a norm's statistics once for them: 1, 4 or 16. */
const blocksFor = (columns: number): number =>
  [16, 4].find((blocks) => columns >= 8 * blocks * manyWorkgroups) ?? 1;

/** Columns of a weight that are bound by themselves. */
interface ColumnRange extends Range {
  columns: number;
}

/**
 * A weight that is larger than one binding as ranges of its columns, where these lie one after the other: a dispatch each.
 *
 * Finding the piece of each value that is read takes longer than another dispatch.
 */
function rangesOf(
  device: GPUDevice,
  group: DecodeWeight[],
): { group: DecodeWeight[]; range: ColumnRange | undefined }[] {
  const whole = [{ group, range: undefined }];
  const [weight] = group;
  if (group.length > 1 || !('values' in weight!) || weight.layout !== 'out-in') return whole;
  const [inner, out] = sizesOf(weight);
  const bytes = 4 * inner;
  const most = bindingLimit(device);
  if (bytes * out <= most) return whole;
  // Ranges begin at multiples of 256 bytes.
  const step = 64 / greatestPowerOfTwo(inner);
  const columns = Math.floor(most / bytes / step) * step;
  if (columns === 0) return whole;
  return Array.from({ length: Math.ceil(out / columns) }, (_, i) => {
    const count = Math.min(columns, out - i * columns);
    const range = { offset: i * columns * bytes, size: count * bytes, columns: count };
    return { group, range };
  });
}

/** The greatest power of two that divides a number, at most 64. */
const greatestPowerOfTwo = (n: number): number => Math.min(64, n & -n);

/** Neighbouring weights that can be bound together and have one form. */
function groupsOf(
  weights: readonly DecodeWeight[],
  bindings: readonly number[],
  room: number,
): DecodeWeight[][] {
  const groups: DecodeWeight[][] = [];
  let left = 0;
  for (const [i, weight] of weights.entries()) {
    const buffers = bindings[i]!;
    const last = groups.at(-1)?.[0];
    if (!last || left < buffers || formKey(last) !== formKey(weight)) {
      groups.push([]);
      left = room;
    }
    groups.at(-1)!.push(weight);
    left -= buffers;
  }
  return groups;
}
