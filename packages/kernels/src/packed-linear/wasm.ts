import type * as tf from '@tensorflow/tfjs';
import type { Wanted } from '../dispatch/register.js';
import type { LinearActivation } from '../linear/activation.js';
import { addressOf, output, type WasmBackend, withMemory } from '../wasm/heap.js';
import { type KernelName, launch, threadsOf } from '../wasm/module.js';
import {
  activationGradient,
  columnSums,
  finishNumbers,
  packedBytes,
  packRows,
  tall,
  wide,
} from '../wasm/product.js';
import { formatParts, type PackedFormat } from './pack.js';

/** The numbers of formats in `assembly/packed.ts`; groups make no difference: int8 has one for all values of an output. */
const formatNumbers: Readonly<Record<PackedFormat, number>> = {
  ...{ f16: 0, bf16: 1, int8: 2, 'int8-groups': 2, int4: 3, uint8: 4, uint4: 5 },
};

/** Rows that read the words themselves, at most: more are fewer instructions with panels that are unpacked. */
const fewRows = 8;

/** Bytes of a panel of 8 columns and 512 steps, which is unpacked to whole words. */
const panelBytes = (512 + 8) * 8 * 4;

interface Weight {
  words: tf.TensorInfo;
  scales?: tf.TensorInfo | undefined;
}

interface Format {
  format: PackedFormat;
  group: number;
}

interface ForwardArguments {
  inputs: Weight & { x: tf.TensorInfo; bias?: tf.TensorInfo | undefined };
  backend: WasmBackend;
  attrs: Format & { out: number; activation: LinearActivation; keep?: boolean | undefined };
}

/** @returns y, `[N, Out]`, and with `keep` the values before the activation, `[N, Out]` */
export function packedLinearWasmKernel({
  inputs,
  backend,
  attrs,
}: ForwardArguments): tf.TensorInfo[] {
  const { x, bias } = inputs;
  const { out, activation, keep = false } = attrs;
  const [rows, inner] = x.shape as [number, number];
  const y = output(backend, [rows, out]);
  const z = keep ? output(backend, [rows, out]) : undefined;
  const finish = finishNumbers(backend, { bias, activation }, z);
  const given = { x, y, weight: inputs, format: attrs, sizes: [inner, out] as const, finish };
  if (rows <= fewRows) {
    const part = 128;
    run(backend, 'PACKED_ROWS', Math.ceil(out / part), {
      ...given,
      steps: inner,
      columns: out,
      part,
    });
  } else {
    tiles(backend, 'PACKED_PRODUCT', { ...given, steps: inner, columns: out });
  }
  return z ? [y, z] : [y];
}

interface GradientArguments {
  inputs: Weight & { dy: tf.TensorInfo; z?: tf.TensorInfo | undefined };
  backend: WasmBackend;
  attrs: Format & { in: number; activation: LinearActivation } & Wanted<'x' | 'bias'>;
}

/** @returns the gradients that are wanted: of x `dz Wᵀ`, and of the bias */
export function packedLinearGradientWasmKernel({
  inputs,
  backend,
  attrs,
}: GradientArguments): tf.TensorInfo[] {
  const { dy, z } = inputs;
  const dz = z ? activationGradient(backend, dy, z, attrs.activation) : dy;
  const [rows, out] = dy.shape as [number, number];
  const made: Partial<Record<'x' | 'bias', tf.TensorInfo>> = {};
  if (attrs.wanted.includes('x')) {
    made.x = output(backend, [rows, attrs.in]);
    tiles(backend, 'PACKED_PRODUCT_BACK', {
      ...{ x: dz, y: made.x, weight: inputs, format: attrs, sizes: [attrs.in, out] },
      ...{ finish: finishNumbers(backend, {}, undefined), steps: out, columns: attrs.in },
    });
  }
  if (attrs.wanted.includes('bias')) made.bias = columnSums(backend, dz);
  if (dz !== dy) backend.disposeData(dz.dataId);
  return attrs.wanted.map((name) => made[name]!);
}

interface UnpackArguments {
  inputs: Weight;
  backend: WasmBackend;
  attrs: Format & { in: number; out: number };
}

/** @returns the values, `[In, Out]` */
export function unpackWeightWasmKernel({
  inputs,
  backend,
  attrs,
}: UnpackArguments): tf.TensorInfo[] {
  const sizes = [attrs.in, attrs.out] as const;
  const y = output(backend, sizes);
  run(backend, 'UNPACK_WEIGHT', inputs.words.shape[0]!, {
    y,
    weight: inputs,
    format: attrs,
    sizes,
  });
  return [y];
}

interface GatherArguments {
  inputs: Weight & { ids: tf.TensorInfo };
  backend: WasmBackend;
  attrs: Format & { width: number; count: number };
}

/** @returns the rows, `[N, D]`; ids are in range, as those of this backend are checked before */
export function gatherPackedRowsWasmKernel({
  inputs,
  backend,
  attrs,
}: GatherArguments): tf.TensorInfo[] {
  const { ids } = inputs;
  const [rows, sizes] = [ids.shape[0]!, [attrs.width, attrs.count] as const];
  const y = output(backend, [rows, attrs.width]);
  run(backend, 'GATHER_PACKED', rows, { x: ids, y, weight: inputs, format: attrs, sizes });
  return [y];
}

/** The arguments of the kernels in `assembly/packed.ts`. */
interface Given {
  x?: tf.TensorInfo | undefined;
  y: tf.TensorInfo;
  weight: Weight;
  format: Format;
  /** In and Out of the weight. */
  sizes: readonly [number, number];
  finish?: readonly number[] | undefined;
  steps?: number | undefined;
  columns?: number | undefined;
  /** Columns of a chunk. */
  part?: number | undefined;
  /** Where packed rows of x lie, and the memory of threads. */
  packed?: readonly [x: number, memory: number] | undefined;
}

/** Packs x, and has tiles of the product computed from it. */
function tiles(
  backend: WasmBackend,
  kernel: 'PACKED_PRODUCT' | 'PACKED_PRODUCT_BACK',
  given: Given & { x: tf.TensorInfo; columns: number },
): void {
  const { x, columns } = given;
  const rows = x.shape[0]!;
  const bytes = packedBytes(x);
  withMemory(backend, bytes + threadsOf(backend) * panelBytes + 16, (start) => {
    const at = Math.ceil(start / 16) * 16;
    packRows(backend, at, x);
    const chunks = Math.ceil(rows / tall) * Math.ceil(columns / wide);
    run(backend, kernel, chunks, { ...given, packed: [at, at + bytes], part: wide });
  });
}

function run(backend: WasmBackend, kernel: KernelName, chunks: number, given: Given): void {
  const { x, y, weight, sizes, finish = [0, 0, 0, 0, 0], packed, part = 0 } = given;
  const { format, group } = given.format;
  const at = (tensor: tf.TensorInfo | undefined) => (tensor ? addressOf(backend, tensor) : 0);
  const scales = formatParts[format].scales === 'none' ? undefined : weight.scales;
  launch(backend, kernel, chunks, [
    ...[packed?.[0] ?? at(x), at(weight.words), at(y), y.shape[0]!],
    ...[given.columns ?? 0, given.steps ?? 0, tall, part, ...finish],
    ...[formatNumbers[format], group, at(scales), weight.words.shape[1]!],
    ...[packed?.[1] ?? 0, panelBytes, ...sizes],
  ]);
}
