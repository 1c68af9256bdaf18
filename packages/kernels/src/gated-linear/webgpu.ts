import { sizeOf } from '@headwise/core/internal';
import type * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { dispatch } from '../dispatch/dispatch.js';
import { elementWorkgroups, perElement } from '../dispatch/per-element.js';
import { defineProgram, type ElementType, variants } from '../dispatch/program.js';
import { finite, storedAs, storedIn, tensorOf } from '../halves/webgpu.js';
import { activationWgsl, type LinearActivation } from '../linear/activation.js';
import { asFloat, elementsOf, type Stored, type Tiling } from '../matrix-product/form.js';
import { matrixProduct } from '../matrix-product/product.js';
import { tilingFor } from '../matrix-product/tiling.js';

interface ForwardVariant {
  tiling: Tiling;
  activation: LinearActivation;
  bias: boolean;
  /** Also stores both maps' values before the activation, for the backward. */
  keep: boolean;
  /** Of x, the weights and what is kept. */
  stored: Stored;
}

type ForwardInputs<T> = Record<'x' | 'gate' | 'up' | 'gateBias' | 'upBias', T>;

const forwardProgram = variants(
  ({ tiling, activation, bias, keep, stored }: ForwardVariant) =>
    `${tiling.key}/${activation}/${bias}/${keep}/${stored}`,
  ({ tiling, activation, bias, keep, stored }) =>
    defineProgram({
      label: 'headwise/GatedLinear',
      enable: tiling.enable,
      inputs: {
        x: elementsOf(stored),
        gate: elementsOf(stored),
        up: elementsOf(stored),
        ...(bias ? { gateBias: 'f32', upBias: 'f32' } : {}),
      } as ForwardInputs<ElementType>,
      outputs: { h: 'f32', ...(keep ? { gateValue: stored, upValue: stored } : {}) } as Record<
        'h' | 'gateValue' | 'upValue',
        Stored
      >,
      params: {
        rows: 'u32',
        columns: 'u32',
        inner: 'u32',
        steps: 'u32',
        aStep: 'u32',
        bStep: 'u32',
        bColumn: 'u32',
      },
      wgsl: /* wgsl */ `
        fn a_start(row: u32) -> u32 { return row * params.inner; }
        fn b_start(column: u32) -> u32 { return column * params.bColumn; }
        fn load_a(start: u32, k: u32) -> f32 { return ${asFloat('x[start + k]', stored)}; }
        fn load_b(start: u32, step: u32) -> array<vec2f, 1> {
          let i = start + step * params.bStep;
          return array(vec2f(${asFloat('gate[i]', stored)}, ${asFloat('up[i]', stored)}));
        }
        ${activationWgsl[activation]}
        fn store(row: u32, column: u32, sum: vec2f) {
          let values = sum${bias ? ' + vec2f(gateBias[column], upBias[column])' : ''};
          let i = row * params.columns + column;
          ${keep ? `gateValue[i] = ${finite('values.x', stored)};` : ''}
          ${keep ? `upValue[i] = ${finite('values.y', stored)};` : ''}
          h[i] = activation(values.x) * values.y;
        }
        ${tiling.wgsl()}
      `,
    }),
);

/** `dg = dh · u · f'(g)`, `du = dh · f(g)`. */
const gateGradientProgram = variants(
  ({ activation, stored }: { activation: LinearActivation; stored: Stored }) =>
    `${activation}/${stored}`,
  ({ activation, stored }) =>
    defineProgram({
      label: 'headwise/GateGradient',
      inputs: { dh: 'f32', gateValue: stored, upValue: stored },
      outputs: { dGate: stored, dUp: stored },
      params: { size: 'u32' },
      wgsl: /* wgsl */ `
        ${activationWgsl[activation]}
        ${perElement(/* wgsl */ `
          let g = ${asFloat('gateValue[i]', stored)};
          let u = ${asFloat('upValue[i]', stored)};
          dGate[i] = ${stored}(dh[i] * u * slope(g));
          dUp[i] = ${stored}(dh[i] * activation(g));`)}
      `,
    }),
);

interface ForwardArguments {
  /** `halves`: x as such; without them the products are of float32. */
  inputs: Record<'x' | 'gate' | 'up', tf.TensorInfo> &
    Partial<Record<'gateBias' | 'upBias' | 'halves', tf.TensorInfo>>;
  backend: WebGPUBackend;
  attrs: { transposed: boolean; activation: LinearActivation; keep: boolean };
}

/** @returns h, and if kept both maps' values before the activation, `[N, Out]` each; of halves the latter are halves too */
export function gatedLinearKernel({ inputs, backend, attrs }: ForwardArguments): tf.TensorInfo[] {
  const { x, gate, up, halves = x } = inputs;
  const { transposed, activation, keep } = attrs;
  const [rows, inner] = x.shape as [number, number];
  const columns = gate.shape[transposed ? 0 : 1]!;
  const form = { value: 'vec2f', pack: 1, columnSums: false } as const;
  const tiling = tilingFor(backend, form, rows, transposed ? 'inner' : 'columns');
  const output = { shape: [rows, columns], dtype: 'float32' as const };
  const bias = inputs.gateBias !== undefined;
  const stored = storedIn(halves);
  const [gates, ups] = [gate, up].map((weight) => storedAs(stored, backend, weight));
  const value = tensorOf(stored, output.shape);
  const { h, gateValue, upValue } = dispatch(
    backend,
    forwardProgram({ tiling, activation, bias, keep, stored }),
    {
      inputs: { ...inputs, x: halves, gate: gates!, up: ups! } as ForwardInputs<tf.TensorInfo>,
      outputs: { h: output, gateValue: value, upValue: value },
      params: {
        rows,
        columns,
        inner,
        steps: inner,
        aStep: 1,
        bStep: transposed ? 1 : columns,
        bColumn: transposed ? inner : 1,
      },
      workgroups: tiling.workgroups(rows, columns),
    },
  );
  if (gates !== gate) for (const { dataId } of [gates!, ups!]) backend.disposeData(dataId);
  return keep ? [h, gateValue, upValue] : [h];
}

interface GradientArguments {
  /** x, or its halves; the values are stored as it is. */
  inputs: Record<'dh' | 'x' | 'gate' | 'up' | 'gateValue' | 'upValue', tf.TensorInfo>;
  backend: WebGPUBackend;
  attrs: { transposed: boolean; activation: LinearActivation };
}

/**
 * @returns dx, then the gradients of the gate's weight and bias, and of the other map's; where x is given as halves, of
 * gradients and weights that are rounded to halves too
 */
export function gatedLinearGradientKernel({
  inputs,
  backend,
  attrs,
}: GradientArguments): tf.TensorInfo[] {
  const { dh, x, gate, up, gateValue, upValue } = inputs;
  const { transposed, activation } = attrs;
  const shape = dh.shape as [number, number];
  const size = sizeOf(shape);
  const stored = storedIn(x);
  const output = tensorOf(stored, shape);
  const { dGate, dUp } = dispatch(backend, gateGradientProgram({ activation, stored }), {
    inputs: { dh, gateValue, upValue },
    outputs: { dGate: output, dUp: output },
    params: { size },
    workgroups: elementWorkgroups(size),
  });
  const weightShape = gate.shape as [number, number];
  const inner = weightShape[transposed ? 1 : 0];
  const ofInput = (dz: tf.TensorInfo, weight: tf.TensorInfo, added?: tf.TensorInfo) => {
    const tensor = storedAs(stored, backend, weight);
    const [product] = matrixProduct(
      backend,
      { tensor: dz, shape },
      { tensor, shape: weightShape, transposed: !transposed },
      { added },
    );
    if (tensor !== weight) backend.disposeData(tensor.dataId);
    return product!;
  };
  const ofWeight = (dz: tf.TensorInfo) =>
    matrixProduct(
      backend,
      { tensor: x, shape: [shape[0], inner], transposed: true },
      { tensor: dz, shape },
      { columnSums: true, transposed },
    );
  const ofGate = ofInput(dGate, gate);
  const dx = ofInput(dUp, up, ofGate);
  const gradients = [dx, ...ofWeight(dGate), ...ofWeight(dUp)];
  for (const { dataId } of [dGate, dUp, ofGate]) backend.disposeData(dataId);
  return gradients;
}
