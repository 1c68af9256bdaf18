import { sizeOf } from '@headwise/core/internal';
import type * as tf from '@tensorflow/tfjs';
import type { Wanted } from '../dispatch/register.js';
import type { LinearActivation } from '../linear/activation.js';
import { weightGradient } from '../linear/wasm.js';
import { activationNumbers } from '../wasm/activations.js';
import { addressOf, output, type WasmBackend } from '../wasm/heap.js';
import { launch } from '../wasm/module.js';
import { columnSums, matrixProduct } from '../wasm/product.js';

/** Values of a chunk. */
const valuesOfChunk = 2 ** 14;

interface ForwardArguments {
  inputs: Record<'x' | 'gate' | 'up', tf.TensorInfo> &
    Partial<Record<'gateBias' | 'upBias', tf.TensorInfo>>;
  backend: WasmBackend;
  attrs: { transposed: boolean; activation: LinearActivation; keep: boolean };
}

/** @returns h `[N, Out]`, and with `keep` what both maps give, before the activation, `[N, Out]` each */
export function gatedLinearWasmKernel({
  inputs: { x, gate, up, gateBias, upBias },
  backend,
  attrs: { transposed, activation, keep },
}: ForwardArguments): tf.TensorInfo[] {
  const of = (weight: tf.TensorInfo, bias: tf.TensorInfo | undefined) =>
    matrixProduct(backend, { tensor: x }, { tensor: weight, transposed }, { bias })[0]!;
  const [g, u] = [of(gate, gateBias), of(up, upBias)];
  const h = output(backend, g.shape);
  run(backend, 'GATE', [h, g, u], activation);
  if (keep) return [h, g, u];
  for (const { dataId } of [g, u]) backend.disposeData(dataId);
  return [h];
}

type GatedInput = 'x' | 'gate' | 'gateBias' | 'up' | 'upBias';

interface GradientArguments {
  inputs: Record<'dh' | 'x' | 'gate' | 'up' | 'gateValue' | 'upValue', tf.TensorInfo>;
  backend: WasmBackend;
  attrs: { transposed: boolean; activation: LinearActivation } & Wanted<GatedInput>;
}

/** @returns the gradients that are wanted */
export function gatedLinearGradientWasmKernel({
  inputs: { dh, x, gate, up, gateValue, upValue },
  backend,
  attrs: { transposed, activation, wanted },
}: GradientArguments): tf.TensorInfo[] {
  const [dGate, dUp] = [output(backend, dh.shape), output(backend, dh.shape)];
  run(backend, 'GATE_GRADIENT', [dh, gateValue, upValue], activation, [dGate, dUp]);
  const made: Partial<Record<GatedInput, tf.TensorInfo>> = {};
  if (wanted.includes('x')) {
    const ofInput = (dz: tf.TensorInfo, tensor: tf.TensorInfo, added?: tf.TensorInfo) =>
      matrixProduct(backend, { tensor: dz }, { tensor, transposed: !transposed }, { added })[0]!;
    const ofGate = ofInput(dGate, gate);
    made.x = ofInput(dUp, up, ofGate);
    backend.disposeData(ofGate.dataId);
  }
  for (const [weight, bias, dz] of [
    ['gate', 'gateBias', dGate],
    ['up', 'upBias', dUp],
  ] as const) {
    if (wanted.includes(weight)) made[weight] = weightGradient(backend, x, dz, transposed);
    if (wanted.includes(bias)) made[bias] = columnSums(backend, dz);
    backend.disposeData(dz.dataId);
  }
  return wanted.map((name) => made[name]!);
}

function run(
  backend: WasmBackend,
  kernel: 'GATE' | 'GATE_GRADIENT',
  tensors: readonly tf.TensorInfo[],
  activation: LinearActivation,
  gradients: readonly tf.TensorInfo[] = [],
): void {
  const size = sizeOf(tensors[0]!.shape);
  const at = (of: readonly tf.TensorInfo[]) => of.map((tensor) => addressOf(backend, tensor));
  const given = [...at(tensors), size, activationNumbers[activation], ...at(gradients)];
  launch(backend, kernel, Math.ceil(size / valuesOfChunk), given);
}
