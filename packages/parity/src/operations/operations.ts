import {
  attention,
  layerNorm,
  linear,
  masks,
  rmsNorm,
  rotary,
  softmax as softmaxOf,
  sparseCrossEntropy,
} from '@headwise/kernels';
import * as tf from '@tensorflow/tfjs';
import { causalAttention, normalized, normals, product, softmax } from './float64.js';

/** An operation with inputs, and what float64 makes of them. */
export interface Operation {
  /** With its size. */
  name: string;
  /** The inputs by name, each with its shape; gradients are of these. */
  inputs: Record<string, { values: Float64Array; shape: number[] }>;
  run(inputs: Record<string, tf.Tensor>): tf.Tensor;
  /** What the gradients start from, of the shape of the output. */
  cotangent: Float64Array;
  output: Float64Array;
  gradients: Record<string, Float64Array>;
}

/** Sizes that no tile divides. */
const [rows, width, out] = [65, 127, 63];

/** The operations of a transformer, each with the gradients of all its inputs. */
export const operations = (): Operation[] => [
  linearOperation(),
  ...([true, false] as const).map(normOperation),
  softmaxOperation(),
  ...([1, 4] as const).map(attentionOperation),
  rotaryOperation(),
  crossEntropyOperation(),
];

function linearOperation(): Operation {
  const [x, w, b] = [normals(rows * width, 1), normals(width * out, 2), normals(out, 3)];
  const cotangent = normals(rows * out, 4);
  return {
    name: `linear ${rows}×${width}×${out}`,
    inputs: {
      x: { values: x, shape: [rows, width] },
      weight: { values: w, shape: [width, out] },
      bias: { values: b, shape: [out] },
    },
    run: ({ x, weight, bias }) => linear(x!, weight as tf.Tensor2D, bias as tf.Tensor1D),
    cotangent,
    output: product(x, w, [rows, width, out]).map((y, i) => y + b[i % out]!),
    gradients: {
      x: product(cotangent, w, [rows, out, width], { transposeB: true }),
      weight: product(x, cotangent, [width, rows, out], { transposeA: true }),
      bias: columnSums(cotangent, out),
    },
  };
}

function normOperation(centred: boolean): Operation {
  const [x, weight, bias] = [normals(rows * width, 5), normals(width, 6), normals(width, 7)];
  const cotangent = normals(rows * width, 8);
  const { y, gradient } = normalized(x, width, 1e-5, centred);
  const affine = { weight: { values: weight, shape: [width] } };
  return {
    name: `${centred ? 'layer norm' : 'RMS norm'} ${rows}×${width}`,
    inputs: {
      x: { values: x, shape: [rows, width] },
      ...affine,
      ...(centred ? { bias: { values: bias, shape: [width] } } : {}),
    },
    run: ({ x, weight, bias }) =>
      centred ? layerNorm(x!, weight!, bias!, 1e-5) : rmsNorm(x!, weight!, 1e-5),
    cotangent,
    output: y.map((v, i) => v * weight[i % width]! + (centred ? bias[i % width]! : 0)),
    gradients: {
      x: gradient(cotangent.map((d, i) => d * weight[i % width]!)),
      weight: columnSums(
        cotangent.map((d, i) => d * y[i]!),
        width,
      ),
      ...(centred ? { bias: columnSums(cotangent, width) } : {}),
    },
  };
}

function softmaxOperation(): Operation {
  const x = normals(rows * width, 9);
  const cotangent = normals(rows * width, 10);
  const y = byRow(x, width, softmax);
  const dx = byRow(cotangent, width, (d, row) => {
    const p = y.subarray(row * width, (row + 1) * width);
    const along = d.reduce((sum, v, i) => sum + v * p[i]!, 0);
    return d.map((v, i) => p[i]! * (v - along));
  });
  return {
    name: `softmax ${rows}×${width}`,
    inputs: { x: { values: x, shape: [rows, width] } },
    run: ({ x }) => softmaxOf(x!),
    cotangent,
    output: y,
    gradients: { x: dx },
  };
}

function attentionOperation(group: number): Operation {
  const sizes = { heads: 4, kvHeads: 4 / group, length: rows, width: 40 };
  const shape = (heads: number) => [1, heads, sizes.length, sizes.width];
  const size = (heads: number) => heads * sizes.length * sizes.width;
  const [q, cotangent] = [normals(size(4), 11), normals(size(4), 14)];
  const [k, v] = [normals(size(sizes.kvHeads), 12), normals(size(sizes.kvHeads), 13)];
  const { y, dq, dk, dv } = causalAttention([q, k, v], cotangent, sizes);
  return {
    name: `causal attention H4${group > 1 ? ` Hkv${sizes.kvHeads}` : ''} T${rows} Dh${sizes.width}`,
    inputs: {
      q: { values: q, shape: shape(4) },
      k: { values: k, shape: shape(sizes.kvHeads) },
      v: { values: v, shape: shape(sizes.kvHeads) },
    },
    run: ({ q, k, v }) => attention(q!, k!, v!, { mask: masks.causal }),
    cotangent,
    output: y,
    gradients: { q: dq, k: dk, v: dv },
  };
}

function rotaryOperation(): Operation {
  const [length, dim] = [rows, 40];
  const [x, cotangent] = [normals(length * dim, 15), normals(length * dim, 16)];
  const half = dim / 2;
  const angles = Float64Array.from(
    { length: length * half },
    (_, i) => Math.floor(i / half) / 10_000 ** ((i % half) / half),
  );
  const [cos, sin] = [angles.map(Math.cos), angles.map(Math.sin)];
  const turned = (values: Float64Array, direction: 1 | -1) =>
    byRow(values, dim, (row, t) =>
      row.map((v, c) => {
        const at = t * half + (c % half);
        const other = c < half ? -row[c + half]! : row[c - half]!;
        return v * cos[at]! + direction * other * sin[at]!;
      }),
    );
  const table = (values: Float64Array) => tf.tensor2d(Float32Array.from(values), [length, half]);
  return {
    name: `rotary T${length} Dh${dim}`,
    inputs: { x: { values: x, shape: [1, 1, length, dim] } },
    run: ({ x }) => rotary(x!, table(cos), table(sin)),
    cotangent,
    output: turned(x, 1),
    gradients: { x: turned(cotangent, -1) },
  };
}

function crossEntropyOperation(): Operation {
  const logits = normals(rows * width, 17);
  const cotangent = normals(rows, 18);
  const labels = Int32Array.from({ length: rows }, (_, i) => (i * 31) % width);
  const p = byRow(logits, width, softmax);
  return {
    name: `cross-entropy ${rows}×${width}`,
    inputs: { logits: { values: logits, shape: [rows, width] } },
    run: ({ logits }) => sparseCrossEntropy(logits as tf.Tensor2D, tf.tensor1d(labels, 'int32')),
    cotangent,
    output: Float64Array.from(labels, (label, i) => -Math.log(p[i * width + label]!)),
    gradients: {
      logits: byRow(p, width, (row, i) =>
        row.map((v, c) => (v - (c === labels[i] ? 1 : 0)) * cotangent[i]!),
      ),
    },
  };
}

function columnSums(values: Float64Array, columns: number): Float64Array {
  const sums = new Float64Array(columns);
  for (const [i, value] of values.entries()) sums[i % columns]! += value;
  return sums;
}

function byRow(
  values: Float64Array,
  columns: number,
  f: (row: Float64Array, index: number) => Float64Array,
): Float64Array {
  const y = new Float64Array(values.length);
  for (let i = 0; i < values.length / columns; i++) {
    y.set(f(values.subarray(i * columns, (i + 1) * columns), i), i * columns);
  }
  return y;
}
