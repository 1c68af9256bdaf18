import { Random, readTensor } from '@headwise/core';
import { nextTask } from '@headwise/core/internal';
import { attention, layerNorm, linear, masks } from '@headwise/kernels';
import { attentionReference, layerNormReference } from '@headwise/kernels/internal';
import * as tf from '@tensorflow/tfjs';

/** How long an operation takes here. */
export interface BenchmarkLine {
  operation: string;
  sizes: string;
  /** Median of the rounds, ms. */
  ours: number;
  /** The same in TensorFlow.js's own operations, ms; absent where ours is made of these, off WebGPU. */
  stock?: number;
  /** Thousand million multiplications and additions a second, where they are what counts. */
  gflops?: number;
}

const rounds = 7;

/** Milliseconds that a timing takes at least: reading its last value back takes some of them. */
const leastTime = 50;

/** The most operations in a timing. */
const mostTimes = 256;

/** Normal random numbers. */
function normals(count: number, seed: number): Float32Array<ArrayBuffer> {
  const random = new Random(seed);
  return Float32Array.from({ length: count }, () => random.nextNormal());
}

interface Contest {
  operation: string;
  sizes: string;
  flops?: number;
  inputs: tf.Tensor[];
  ours: () => tf.Tensor;
  stock: () => tf.Tensor;
}

/** Times what a model is made of, ours and stock in turns that begin with either, so that both meet the same machine. */
export async function benchmark(progress: (line: BenchmarkLine) => void): Promise<BenchmarkLine[]> {
  const lines: BenchmarkLine[] = [];
  for (const make of contests) {
    const { operation, sizes, flops, inputs, ours, stock } = make();
    try {
      const runs = tf.getBackend() === 'webgpu' ? [ours, stock] : [ours];
      const counts: number[] = [];
      for (const run of runs) counts.push(await enough(run));
      const times: number[][] = runs.map(() => []);
      for (let round = 0; round < rounds; round++) {
        for (let i = 0; i < runs.length; i++) {
          const turn = (round + i) % runs.length;
          times[turn]!.push(await timeOf(runs[turn]!, counts[turn]!));
        }
        await nextTask();
      }
      const [mine, theirs] = times.map((all) => all.sort((a, b) => a - b)[rounds >> 1]!);
      const line = {
        operation,
        sizes,
        ours: mine!,
        ...(theirs === undefined ? {} : { stock: theirs }),
        ...(flops ? { gflops: flops / mine! / 1e6 } : {}),
      };
      lines.push(line);
      progress(line);
    } finally {
      tf.dispose(inputs);
    }
  }
  return lines;
}

/** How many operations take long enough to be timed; the first ones compile what they need. */
async function enough(run: () => tf.Tensor): Promise<number> {
  await timeOf(run, 1);
  let count = 1;
  while (count < mostTimes && (await timeOf(run, count)) * count < leastTime) count *= 2;
  return count;
}

/** Milliseconds an operation, of `count` in a row. */
async function timeOf(run: () => tf.Tensor, count: number): Promise<number> {
  const begun = performance.now();
  for (let i = 1; i < count; i++) tf.dispose(tf.tidy(run));
  // One value is read back: all work is done then, and little is moved.
  const made = tf.tidy(() => run().reshape([-1]).slice(0, 1));
  await readTensor(made);
  made.dispose();
  return (performance.now() - begun) / count;
}

const contests: (() => Contest)[] = [
  () => {
    const side = 256;
    const a = tf.tensor2d(normals(side * side, 1), [side, side]);
    const b = tf.tensor2d(normals(side * side, 2), [side, side]);
    return {
      operation: 'Linear map',
      sizes: `[${side}, ${side}] · [${side}, ${side}]`,
      flops: 2 * side ** 3,
      inputs: [a, b],
      ours: () => linear(a, b),
      stock: () => tf.matMul(a, b),
    };
  },
  () => {
    const [rows, width] = [512, 256];
    const x = tf.tensor2d(normals(rows * width, 1), [rows, width]);
    const [weight, bias] = [tf.ones([width]), tf.zeros([width])];
    return {
      operation: 'Layer norm',
      sizes: `[${rows}, ${width}]`,
      inputs: [x, weight, bias],
      ours: () => layerNorm(x, weight, bias, 1e-5),
      stock: () => layerNormReference(x, weight, bias, 1e-5),
    };
  },
  () => {
    const shape: [number, number, number, number] = [1, 4, 256, 32];
    const [q, k, v] = [1, 2, 3].map((seed) => tf.tensor4d(normals(4 * 256 * 32, seed), shape));
    return {
      operation: 'Causal attention',
      sizes: `[${shape.join(', ')}]`,
      inputs: [q!, k!, v!],
      ours: () => attention(q!, k!, v!, { mask: masks.causal }),
      stock: () => attentionReference(q!, k!, v!, { mask: masks.causal, scale: 1 / Math.sqrt(32) }),
    };
  },
];
