import { sizeOf } from '@headwise/core/internal';
import type * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { dispatch } from '../dispatch/dispatch.js';
import { elementWorkgroups, perElement } from '../dispatch/per-element.js';
import { defineProgram, type ElementType, variants } from '../dispatch/program.js';
import type { Wanted } from '../dispatch/register.js';
import { finite, storedIn, tensorOf } from '../halves/webgpu.js';
import { activationWgsl, type LinearActivation } from '../linear/activation.js';
import { weightGradients } from '../linear/weight-gradient.js';
import { disposeCopies, laidFor, loadRows } from '../matrix-product/by-steps.js';
import {
  asFloat,
  elementsOf,
  type Stored,
  type Tiling,
  widthOfA,
  widthOfB,
} from '../matrix-product/form.js';
import { matrixProduct } from '../matrix-product/product.js';
import { tilingFor } from '../matrix-product/tiling.js';

interface ForwardVariant {
  tiling: Tiling;
  activation: LinearActivation;
  bias: boolean;
  /** Also stores what both maps give, before the activation, for the backward pass. */
  keep: boolean;
  /** How x, both weights and the stored outputs of both maps are stored. */
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
        x: elementsOf(stored, widthOfA(tiling)),
        gate: elementsOf(stored, widthOfB(tiling)),
        up: elementsOf(stored, widthOfB(tiling)),
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
        aRow: 'u32',
        aStep: 'u32',
        bStep: 'u32',
        bColumn: 'u32',
      },
      wgsl: /* wgsl */ `
        fn a_start(row: u32) -> u32 { return row * params.aRow; }
        fn b_start(column: u32) -> u32 { return column * params.bColumn; }
        ${loadRows('x', tiling, stored)}
        ${loadBoth(tiling, stored)}
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

/** WGSL of `load_b`: of both matrices as many neighbours as the tiling reads at once. */
const loadBoth = (tiling: Tiling, stored: Stored): string => {
  const width = widthOfB(tiling);
  const i = width === 1 ? 'i' : `i / ${width}u`;
  const value = (name: string) => asFloat(`${name}[${i}]`, stored, width);
  const type = width === 1 ? 'vec2f' : `mat2x${width}f`;
  return /* wgsl */ `
    fn load_b(start: u32, step: u32) -> array<${type}, 1> {
      let i = start + step * params.bStep;
      return array(${type}(${value('gate')}, ${value('up')}));
    }
  `;
};

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
  /** Halves of x and of both weights, all or none; without them the products are of float32. */
  inputs: Record<'x' | 'gate' | 'up', tf.TensorInfo> &
    Partial<Record<'gateBias' | 'upBias' | 'halves' | 'gateHalves' | 'upHalves', tf.TensorInfo>>;
  backend: WebGPUBackend;
  attrs: { transposed: boolean; activation: LinearActivation; keep: boolean };
}

/** @returns h, `[N, Out]`, and with `keep` the outputs of both maps before the activation, `[N, Out]` each, stored as x is */
export function gatedLinearKernel({ inputs, backend, attrs }: ForwardArguments): tf.TensorInfo[] {
  const { x, gate, up, halves = x, gateHalves = gate, upHalves = up } = inputs;
  const { transposed, activation, keep } = attrs;
  const [rows, inner] = x.shape as [number, number];
  const columns = gate.shape[transposed ? 0 : 1]!;
  const form = { value: 'vec2f', pack: 1, columnSums: false } as const;
  const ofWeight = (tensor: tf.TensorInfo) => ({
    ...{ tensor, count: columns, inner },
    contiguous: transposed ? ('inner' as const) : ('lines' as const),
  });
  const a = { tensor: halves, count: rows, inner, contiguous: 'inner' as const };
  const b = ofWeight(gateHalves);
  const tiling = tilingFor(backend, form, rows, transposed ? 'inner' : 'columns', [a, b]);
  const left = laidFor(backend, tiling.along?.a, a);
  const right = laidFor(backend, tiling.along?.b, b);
  const besideRight = laidFor(backend, tiling.along?.b, ofWeight(upHalves));
  const output = { shape: [rows, columns], dtype: 'float32' as const };
  const bias = inputs.gateBias !== undefined;
  const stored = storedIn(halves);
  const value = tensorOf(stored, output.shape);
  const { h, gateValue, upValue } = dispatch(
    backend,
    forwardProgram({ tiling, activation, bias, keep, stored }),
    {
      inputs: {
        ...inputs,
        ...{ x: left.tensor, gate: right.tensor, up: besideRight.tensor },
      } as ForwardInputs<tf.TensorInfo>,
      outputs: { h: output, gateValue: value, upValue: value },
      params: {
        rows,
        columns,
        inner,
        steps: inner,
        aRow: left.line,
        aStep: left.step,
        bStep: right.step,
        bColumn: right.line,
      },
      workgroups: tiling.workgroups(rows, columns),
    },
  );
  disposeCopies(backend, left, right, besideRight);
  return keep ? [h, gateValue, upValue] : [h];
}

type GatedInput = 'x' | 'gate' | 'gateBias' | 'up' | 'upBias';

interface GradientArguments {
  /** x and both weights, or their halves; the values are stored as x is. */
  inputs: Record<'dh' | 'x' | 'gate' | 'up' | 'gateValue' | 'upValue', tf.TensorInfo>;
  backend: WebGPUBackend;
  attrs: { transposed: boolean; activation: LinearActivation; inner: number } & Wanted<GatedInput>;
}

/** @returns the gradients that are wanted; where x is stored as halves, the gradients of both maps' outputs are rounded to halves */
export function gatedLinearGradientKernel({
  inputs,
  backend,
  attrs,
}: GradientArguments): tf.TensorInfo[] {
  const { dh, x, gate, up, gateValue, upValue } = inputs;
  const { transposed, activation, inner, wanted } = attrs;
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
  const ofInput = (dz: tf.TensorInfo, tensor: tf.TensorInfo, added?: tf.TensorInfo) => {
    const weight = {
      tensor,
      shape: transposed ? ([shape[1], inner] as const) : ([inner, shape[1]] as const),
      transposed: !transposed,
    };
    return matrixProduct(backend, { tensor: dz, shape }, weight, { added })[0]!;
  };
  const ofWeight = (dz: tf.TensorInfo, weight: GatedInput, bias: GatedInput) =>
    weightGradients(
      backend,
      { tensor: x, shape: [shape[0], inner] },
      { tensor: dz, shape },
      { weight: wanted.includes(weight), bias: wanted.includes(bias), transposed },
    );
  const made: Partial<Record<GatedInput, tf.TensorInfo | undefined>> = {};
  if (wanted.includes('x')) {
    const ofGate = ofInput(dGate, gate);
    made.x = ofInput(dUp, up, ofGate);
    backend.disposeData(ofGate.dataId);
  }
  ({ weight: made.gate, bias: made.gateBias } = ofWeight(dGate, 'gate', 'gateBias'));
  ({ weight: made.up, bias: made.upBias } = ofWeight(dUp, 'up', 'upBias'));
  for (const { dataId } of [dGate, dUp]) backend.disposeData(dataId);
  return wanted.map((name) => made[name]!);
}
