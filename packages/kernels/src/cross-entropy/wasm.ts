import { sizeOf } from '@headwise/core/internal';
import type * as tf from '@tensorflow/tfjs';
import { addressOf, output, type WasmBackend } from '../wasm/heap.js';
import { launchRows } from '../wasm/rows.js';
import type { CheckedCrossEntropy } from './options.js';

interface Arguments<N extends string> {
  inputs: Record<N, tf.TensorInfo>;
  backend: WasmBackend;
  attrs: CheckedCrossEntropy;
}

/** @returns the loss of each row, `[N]`; its largest score and the log of its sum, `[N, 2]` */
export function crossEntropyWasmKernel({
  inputs: { logits, labels },
  backend,
  attrs,
}: Arguments<'logits' | 'labels'>): tf.TensorInfo[] {
  const [rows, width] = logits.shape as [number, number];
  const [loss, stats] = [output(backend, [rows]), output(backend, [rows, 2])];
  const given = [logits, labels, loss, stats].map((tensor) => addressOf(backend, tensor));
  run(backend, 'CROSS_ENTROPY', given, { rows, width }, attrs);
  return [loss, stats];
}

type OfGradient = 'dy' | 'logits' | 'labels' | 'stats';

/** @returns dLogits */
export function crossEntropyGradientWasmKernel(given: Arguments<OfGradient>): tf.TensorInfo[] {
  const dLogits = output(given.backend, given.inputs.logits.shape);
  gradient(given, dLogits);
  return [dLogits];
}

/** Replaces logits by their gradient, for logits that no other operation reads; makes no output. */
export function crossEntropyGradientInPlaceWasmKernel(
  given: Arguments<OfGradient>,
): tf.TensorInfo[] {
  gradient(given, given.inputs.logits);
  return [];
}

function gradient({ inputs, backend, attrs }: Arguments<OfGradient>, to: tf.TensorInfo): void {
  const { dy, logits, labels, stats } = inputs;
  const [rows, width] = logits.shape as [number, number];
  const given = [logits, labels, dy, stats, to].map((tensor) => addressOf(backend, tensor));
  run(backend, 'CROSS_ENTROPY_GRADIENT', given, { rows, width }, attrs);
}

function run(
  backend: WasmBackend,
  name: 'CROSS_ENTROPY' | 'CROSS_ENTROPY_GRADIENT',
  addresses: readonly number[],
  { rows, width }: Record<'rows' | 'width', number>,
  { ignoreIndex, labelSmoothing, zLoss }: CheckedCrossEntropy,
): void {
  const given = Array.from({ length: 7 }, (_, i) => addresses[i] ?? 0);
  launchRows(backend, name, [...given, rows, width, ignoreIndex], [labelSmoothing, zLoss]);
}

interface SharesArguments {
  inputs: { labels: tf.TensorInfo };
  backend: WasmBackend;
  attrs: { ignoreIndex: number };
}

/** @returns what each row's loss counts for in the mean: `1 / n` of the `n` rows with a label, 0 for others */
export function labelSharesWasmKernel({
  inputs: { labels },
  backend,
  attrs: { ignoreIndex },
}: SharesArguments): tf.TensorInfo[] {
  const shares = output(backend, labels.shape);
  const { buffer } = backend.wasm.HEAPU8;
  const size = sizeOf(labels.shape);
  const ids = new Int32Array(buffer, addressOf(backend, labels), size);
  const count = ids.reduce((count, id) => count + (id === ignoreIndex ? 0 : 1), 0);
  const share = 1 / Math.max(count, 1);
  new Float32Array(buffer, addressOf(backend, shares), size).set(
    Float32Array.from(ids, (id) => (id === ignoreIndex ? 0 : share)),
  );
  return [shares];
}

interface SumArguments {
  inputs: { x: tf.TensorInfo; weights: tf.TensorInfo };
  backend: WasmBackend;
}

/** @returns `Σ x w`, a scalar, summed in float64 */
export function weightedSumWasmKernel({
  inputs: { x, weights },
  backend,
}: SumArguments): tf.TensorInfo[] {
  const sum = output(backend, []);
  const size = sizeOf(x.shape);
  const values = (tensor: tf.TensorInfo, size: number) =>
    new Float32Array(backend.wasm.HEAPU8.buffer, addressOf(backend, tensor), size);
  const factors = values(weights, size);
  values(sum, 1)[0] = values(x, size).reduce((sum, value, i) => sum + value * factors[i]!, 0);
  return [sum];
}

interface AddArguments {
  inputs: { sum: tf.TensorInfo; addend: tf.TensorInfo };
  backend: WasmBackend;
}

/** Adds a tensor in place to one that no other operation reads; makes no output. */
export function addInPlaceWasmKernel({
  inputs: { sum, addend },
  backend,
}: AddArguments): tf.TensorInfo[] {
  const size = sizeOf(sum.shape);
  const [to, values] = [sum, addend].map(
    (tensor) => new Float32Array(backend.wasm.HEAPU8.buffer, addressOf(backend, tensor), size),
  ) as [Float32Array, Float32Array];
  for (let i = 0; i < size; i++) to[i]! += values[i]!;
  return [];
}
