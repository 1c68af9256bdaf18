import { bindingLimit, sizeOf } from '@headwise/core/internal';
import * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { dispatch } from '../dispatch/dispatch.js';
import { boundParts, elementWorkgroups, perElement } from '../dispatch/per-element.js';
import { defineProgram, variants } from '../dispatch/program.js';
import { zeros } from '../dispatch/transfer.js';

/** The operators of TensorFlow.js's kernels. */
const operators = { Add: '+', Sub: '-', Multiply: '*', RealDiv: '/' } as const;
type Operator = (typeof operators)[keyof typeof operators];

/** How the result reads an operand: at its own place, its only element, or elements that repeat. */
type Reading = 'whole' | 'one' | 'repeated';

interface BinaryVariant {
  operator: Operator;
  a: Reading;
  b: Reading;
}

const binaryProgram = variants(
  ({ operator, a, b }: BinaryVariant) => `${operator}/${a}/${b}`,
  ({ operator, a, b }) => {
    const element = (name: string, reading: Reading) =>
      ({
        whole: `${name}[i]`,
        one: `${name}[0]`,
        repeated: `${name}[(params.first + i) / params.${name}_after % params.${name}_size]`,
      })[reading];
    return defineProgram({
      label: 'headwise/LargeBinary',
      inputs: { a: 'f32', b: 'f32' },
      outputs: { y: 'f32' },
      params: {
        size: 'u32',
        first: 'u32',
        a_after: 'u32',
        a_size: 'u32',
        b_after: 'u32',
        b_size: 'u32',
      },
      wgsl: perElement(`y[i] = ${element('a', a)} ${operator} ${element('b', b)};`),
    });
  },
);

const fillProgram = defineProgram({
  label: 'headwise/LargeFill',
  inputs: {},
  outputs: { y: 'f32' },
  params: { size: 'u32', value: 'f32' },
  wgsl: perElement('y[i] = params.value;'),
});

interface Call {
  /** By name; of `AddN` an array. */
  inputs: Record<string, tf.TensorInfo>;
  backend: WebGPUBackend;
  attrs: Record<string, unknown>;
}
type Kernel = (call: Call) => tf.TensorInfo | tf.TensorInfo[];

/** A kernel for what the stock one cannot bind; undefined for a call that it does not compute. */
type LargeKernel = (call: Call, stock: Kernel) => tf.TensorInfo | undefined;

const binary =
  (operator: Operator): LargeKernel =>
  ({ inputs: { a, b }, backend }) => {
    if (a!.dtype !== 'float32' || b!.dtype !== 'float32') return undefined;
    const shape = tf.broadcast_util.assertAndGetBroadcastShape(a!.shape, b!.shape);
    const size = sizeOf(shape);
    const [ofA, ofB] = [repetition(a!.shape, shape), repetition(b!.shape, shape)];
    if (!isLarge(backend, size) || !ofA || !ofB) return undefined;
    const reading = (of: { size: number }): Reading =>
      of.size === size ? 'whole' : of.size === 1 ? 'one' : 'repeated';
    const variant = { operator, a: reading(ofA), b: reading(ofB) };
    const y = backend.makeTensorInfo(shape, 'float32');
    for (const { first, size: count, range } of boundParts(backend, size)) {
      dispatch(backend, binaryProgram(variant), {
        inputs: { a: a!, b: b! },
        outputs: { y },
        params: {
          size: count,
          first,
          a_after: ofA.after,
          a_size: ofA.size,
          b_after: ofB.after,
          b_size: ofB.size,
        },
        workgroups: elementWorkgroups(count),
        ranges: {
          y: range,
          ...(variant.a === 'whole' ? { a: range } : {}),
          ...(variant.b === 'whole' ? { b: range } : {}),
        },
      });
    }
    return y;
  };

const fill: LargeKernel = ({ backend, attrs }) => {
  const { shape, value, dtype } = attrs as {
    shape: number[];
    value: number;
    dtype?: string | undefined;
  };
  const size = sizeOf(shape);
  if (!isLarge(backend, size) || dtype !== 'float32') return undefined;
  const y = backend.makeTensorInfo(shape, dtype);
  for (const { size: count, range } of boundParts(backend, size)) {
    dispatch(backend, fillProgram, {
      inputs: {},
      outputs: { y },
      params: { size: count, value },
      workgroups: elementWorkgroups(count),
      ranges: { y: range },
    });
  }
  return y;
};

const zerosLike: LargeKernel = ({ inputs: { x }, backend }) =>
  isLarge(backend, sizeOf(x!.shape)) ? zeros(backend, x!.shape, x!.dtype) : undefined;

/** The stock sum binds every tensor at once: of more than the device takes, as many as it takes are added at a time. */
const addN: LargeKernel = ({ inputs, backend, attrs }, stock) => {
  const tensors = Object.values(inputs);
  const most = backend.device.limits.maxStorageBuffersPerShaderStage - 1;
  if (tensors.length <= most) return undefined;
  const sumOf = (some: tf.TensorInfo[]) =>
    stock({ inputs: some as never, backend, attrs }) as tf.TensorInfo;
  let sum = sumOf(tensors.slice(0, most));
  for (let from = most; from < tensors.length; from += most - 1) {
    const before = sum;
    sum = sumOf([before, ...tensors.slice(from, from + most - 1)]);
    backend.disposeData(before.dataId);
  }
  return sum;
};

const isLarge = (backend: WebGPUBackend, size: number): boolean =>
  4 * size > bindingLimit(backend.device);

/**
 * How an operand repeats: element i of the result takes its element `⌊i / after⌋ mod size`. Undefined where its axes
 * of more than one element do not lie side by side.
 */
function repetition(
  shape: readonly number[],
  result: readonly number[],
): { after: number; size: number } | undefined {
  const own = [...Array<number>(result.length - shape.length).fill(1), ...shape];
  const axes = own.flatMap((size, axis) => (size > 1 ? [axis] : []));
  const [first = 0, last = -1] = [axes[0], axes.at(-1)];
  if (own.slice(first, last + 1).some((size, i) => size !== result[first + i])) return undefined;
  return { after: sizeOf(result.slice(last + 1)), size: sizeOf(shape) };
}

const kernels: Readonly<Record<string, LargeKernel>> = {
  ...Object.fromEntries(
    Object.entries(operators).map(([name, operator]) => [name, binary(operator)]),
  ),
  Fill: fill,
  ZerosLike: zerosLike,
  AddN: addN,
};

const replaced = new WeakSet<object>();

/**
 * Makes elementwise operations of TensorFlow.js that parameters and their gradients meet work for tensors larger than
 * one binding of the device, and sums of more tensors than it binds; for all others they stay as they are.
 */
export function registerLargeElementwise(): void {
  for (const [kernelName, large] of Object.entries(kernels)) {
    const { kernelFunc, ...config } = tf.getKernel(kernelName, 'webgpu');
    if (replaced.has(kernelFunc)) continue;
    const stock = kernelFunc as unknown as Kernel;
    const kernel: Kernel = (call) => large(call, stock) ?? stock(call);
    replaced.add(kernel);
    tf.unregisterKernel(kernelName, 'webgpu');
    tf.registerKernel({ ...config, kernelFunc: kernel as unknown as tf.KernelFunc });
  }
}
