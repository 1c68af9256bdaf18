import type * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { dispatch } from '../dispatch/dispatch.js';
import { elementWorkgroups, perElement } from '../dispatch/per-element.js';
import { defineProgram, variants } from '../dispatch/program.js';
import { activationWgsl, type LinearActivation } from '../linear/activation.js';
import type { Tiling } from '../matrix-product/form.js';
import { matrixProduct } from '../matrix-product/product.js';
import { tilingFor } from '../matrix-product/tiling.js';

interface ForwardVariant {
  tiling: Tiling;
  activation: LinearActivation;
  bias: boolean;
  /** Also stores both maps' values before the activation, for the backward. */
  keep: boolean;
}

type ForwardInputs<T> = Record<'x' | 'gate' | 'up' | 'gateBias' | 'upBias', T>;

const forwardProgram = variants(
  ({ tiling, activation, bias, keep }: ForwardVariant) =>
    `${tiling.key}/${activation}/${bias}/${keep}`,
  ({ tiling, activation, bias, keep }) =>
    defineProgram({
      label: 'headwise/GatedLinear',
      enable: tiling.enable,
      inputs: {
        x: 'f32',
        gate: 'f32',
        up: 'f32',
        ...(bias ? { gateBias: 'f32', upBias: 'f32' } : {}),
      } as ForwardInputs<'f32'>,
      outputs: { h: 'f32', ...(keep ? { gateValue: 'f32', upValue: 'f32' } : {}) } as Record<
        'h' | 'gateValue' | 'upValue',
        'f32'
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
        fn load_a(start: u32, k: u32) -> f32 { return x[start + k]; }
        fn load_b(start: u32, step: u32) -> array<vec2f, 1> {
          let i = start + step * params.bStep;
          return array(vec2f(gate[i], up[i]));
        }
        ${activationWgsl[activation]}
        fn store(row: u32, column: u32, sum: vec2f) {
          let values = sum${bias ? ' + vec2f(gateBias[column], upBias[column])' : ''};
          let i = row * params.columns + column;
          ${keep ? 'gateValue[i] = values.x; upValue[i] = values.y;' : ''}
          h[i] = activation(values.x) * values.y;
        }
        ${tiling.wgsl()}
      `,
    }),
);

/** `dg = dh · u · f'(g)`, `du = dh · f(g)`. */
const gateGradientProgram = variants(
  (activation: LinearActivation) => activation,
  (activation) =>
    defineProgram({
      label: 'headwise/GateGradient',
      inputs: { dh: 'f32', gateValue: 'f32', upValue: 'f32' },
      outputs: { dGate: 'f32', dUp: 'f32' },
      params: { size: 'u32' },
      wgsl: /* wgsl */ `
        ${activationWgsl[activation]}
        ${perElement(/* wgsl */ `
          dGate[i] = dh[i] * upValue[i] * slope(gateValue[i]);
          dUp[i] = dh[i] * activation(gateValue[i]);`)}
      `,
    }),
);

interface ForwardArguments {
  inputs: Record<'x' | 'gate' | 'up', tf.TensorInfo> &
    Partial<Record<'gateBias' | 'upBias', tf.TensorInfo>>;
  backend: WebGPUBackend;
  attrs: { transposed: boolean; activation: LinearActivation; keep: boolean };
}

/** @returns h, and if kept both maps' values before the activation, `[N, Out]` each */
export function gatedLinearKernel({ inputs, backend, attrs }: ForwardArguments): tf.TensorInfo[] {
  const { x, gate } = inputs;
  const { transposed, activation, keep } = attrs;
  const [rows, inner] = x.shape as [number, number];
  const columns = gate.shape[transposed ? 0 : 1]!;
  const form = { value: 'vec2f', pack: 1, columnSums: false } as const;
  const tiling = tilingFor(backend, form, rows, transposed ? 'inner' : 'columns');
  const output = { shape: [rows, columns], dtype: 'float32' as const };
  const bias = inputs.gateBias !== undefined;
  const { h, gateValue, upValue } = dispatch(
    backend,
    forwardProgram({ tiling, activation, bias, keep }),
    {
      inputs: inputs as ForwardInputs<tf.TensorInfo>,
      outputs: { h: output, gateValue: output, upValue: output },
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
  return keep ? [h, gateValue, upValue] : [h];
}

interface GradientArguments {
  inputs: Record<'dh' | 'x' | 'gate' | 'up' | 'gateValue' | 'upValue', tf.TensorInfo>;
  backend: WebGPUBackend;
  attrs: { transposed: boolean; activation: LinearActivation };
}

/** @returns dx, then the gradients of the gate's weight and bias, and of the other map's */
export function gatedLinearGradientKernel({
  inputs,
  backend,
  attrs,
}: GradientArguments): tf.TensorInfo[] {
  const { dh, x, gate, up, gateValue, upValue } = inputs;
  const { transposed, activation } = attrs;
  const [rows, columns] = dh.shape as [number, number];
  const size = rows * columns;
  const output = { shape: [rows, columns], dtype: 'float32' as const };
  const { dGate, dUp } = dispatch(backend, gateGradientProgram(activation), {
    inputs: { dh, gateValue, upValue },
    outputs: { dGate: output, dUp: output },
    params: { size },
    workgroups: elementWorkgroups(size),
  });
  const weight = (tensor: tf.TensorInfo) => ({ tensor, transposed: !transposed });
  const ofWeight = (dz: tf.TensorInfo) =>
    matrixProduct(
      backend,
      { tensor: x, transposed: true },
      { tensor: dz },
      { columnSums: true, transposed },
    );
  const [ofGate] = matrixProduct(backend, { tensor: dGate }, weight(gate));
  const [dx] = matrixProduct(backend, { tensor: dUp }, weight(up), { added: ofGate! });
  const gradients = [dx!, ...ofWeight(dGate), ...ofWeight(dUp)];
  for (const { dataId } of [dGate, dUp, ofGate!]) backend.disposeData(dataId);
  return gradients;
}
