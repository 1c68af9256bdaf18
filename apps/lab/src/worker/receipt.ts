import { readTensor } from '@headwise/core';
import {
  attention,
  causal,
  gelu,
  layerNorm,
  linear,
  rmsNorm,
  softmax,
  sparseCrossEntropy,
} from '@headwise/kernels';
import { languageModel, loadModel } from '@headwise/models';
import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import * as exact from './exact.js';

/** How near an operation comes to the same computed in double precision. */
export interface ReceiptLine {
  operation: string;
  /** The sizes, as the field writes them. */
  sizes: string;
  /** Root of the mean square of the errors, over that of the values. */
  error: number;
  /** What it may be at most. */
  limit: number;
  passed: boolean;
}

/** Single precision has 24 bits; sums of some hundred products lose a few of them. */
const limit = 1e-5;

/**
 * Runs every operation that a model is made of on the backend in use, and compares the results with
 * the same in double precision; then a whole GPT-2 with what Hugging Face's library computes.
 *
 * @param goldenUrl where that model and its logits lie
 */
export async function parityReceipt(
  goldenUrl: string,
  progress: (line: ReceiptLine) => void,
): Promise<ReceiptLine[]> {
  const lines: ReceiptLine[] = [];
  const golden = await goldenCheck(goldenUrl);
  try {
    for (const { operation, sizes, run, expected } of [...checks(), golden.check]) {
      const made = tf.tidy(run);
      const values = await readTensor(made);
      made.dispose();
      const error = relativeError(values, expected());
      const line = { operation, sizes, error, limit, passed: error <= limit };
      lines.push(line);
      progress(line);
    }
  } finally {
    golden.dispose();
  }
  return lines;
}

const goldenSchema = z.object({
  source: z.string(),
  version: z.string(),
  folder: z.object({ 'config.json': z.string(), 'model.safetensors': z.string() }),
  ids: z.array(z.number()),
  shape: z.tuple([z.number(), z.number()]),
  logits: z.array(z.number()),
});

/** A tiny GPT-2 of Hugging Face's, with the logits that its library gives. */
async function goldenCheck(url: string): Promise<{ check: Check; dispose: () => void }> {
  const response = await fetch(url);
  const { source, version, folder, ids, shape, logits } = goldenSchema.parse(await response.json());
  const bytes = (name: keyof typeof folder) =>
    Uint8Array.from(atob(folder[name]), (char) => char.charCodeAt(0));
  const names = ['config.json', 'model.safetensors'] as const;
  const files = names.map((name) => new File([bytes(name)], name));
  const { network, params } = languageModel(await loadModel(files));
  const check: Check = {
    operation: `GPT-2, as ${source} ${version}`,
    sizes: `[${shape.join(', ')}, ${network.vocabSize}]`,
    run: () => network.forward(tf.tensor2d(ids, shape, 'int32')),
    expected: () => Float64Array.from(logits),
  };
  return { check, dispose: () => params.dispose() };
}

interface Check {
  operation: string;
  sizes: string;
  run: () => tf.Tensor;
  expected: () => Float64Array;
}

function checks(): Check[] {
  const [rows, width, out, heads, tokens, headWidth] = [67, 129, 65, 3, 61, 32];
  const x = exact.numbers(rows * width, 1);
  const weight = exact.numbers(width * out, 2);
  const scale = exact.numbers(width, 3);
  const shift = exact.numbers(width, 4);
  const [q, k, v] = [5, 6, 7].map((seed) => exact.numbers(heads * tokens * headWidth, seed));
  const targets = Int32Array.from({ length: rows }, (_, i) => (7 * i) % width);
  const matrix = () => tf.tensor2d(x, [rows, width]);
  const vector = (values: Float32Array) => tf.tensor1d(values);
  const head = (values: Float32Array) => tf.tensor4d(values, [1, heads, tokens, headWidth]);
  const rowsOf = `[${rows}, ${width}]`;
  return [
    {
      operation: 'Linear map',
      sizes: `${rowsOf} · [${width}, ${out}]`,
      run: () => linear(matrix(), tf.tensor2d(weight, [width, out])),
      expected: () => exact.product(x, weight, rows, width, out),
    },
    {
      operation: 'Layer norm',
      sizes: rowsOf,
      run: () => layerNorm(matrix(), vector(scale), vector(shift), 1e-5),
      expected: () => exact.layerNorm(x, scale, shift, 1e-5),
    },
    {
      operation: 'RMS norm',
      sizes: rowsOf,
      run: () => rmsNorm(matrix(), vector(scale), 1e-6),
      expected: () => exact.rmsNorm(x, scale, 1e-6),
    },
    {
      operation: 'Softmax',
      sizes: rowsOf,
      run: () => softmax(matrix()),
      expected: () => exact.softmax(x, width),
    },
    {
      operation: 'GELU',
      sizes: rowsOf,
      run: () => gelu(matrix()),
      expected: () => Float64Array.from(x, exact.gelu),
    },
    {
      operation: 'Causal attention',
      sizes: `[1, ${heads}, ${tokens}, ${headWidth}]`,
      run: () => attention(head(q!), head(k!), head(v!), { mask: causal }),
      expected: () => exact.causalAttention(q!, k!, v!, { heads, tokens, width: headWidth }),
    },
    {
      operation: 'Cross-entropy',
      sizes: rowsOf,
      run: () => sparseCrossEntropy(matrix(), tf.tensor1d(targets, 'int32')),
      expected: () => exact.crossEntropy(x, targets, width),
    },
  ];
}

function relativeError(values: ArrayLike<number>, expected: Float64Array): number {
  let [error, size] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    error += (values[i]! - expected[i]!) ** 2;
    size += expected[i]! ** 2;
  }
  return Math.sqrt(error / size);
}
