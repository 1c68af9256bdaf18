import { type Contestants, gaussian, type Workload } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { packWeight } from '../packed-linear/pack.js';
import { recordStep } from '../recording/index.js';
import { decodeGatedLinear, decodeLinear } from './linear.js';
import type { Norm } from './normalized.js';
import type { DecodeWeight } from './weight.js';

/** A product of one row: its sizes, and what stands around it. */
interface Product {
  inner: number;
  /** Of several weights side by side, or of a gate and what it gates. */
  widths: readonly number[];
  gated?: boolean;
  norm?: boolean;
}

/** The products of a layer of LLaMA's form, 768 wide, with 12 heads over 4 of keys, and of its head. */
const products: Readonly<Record<string, Product>> = {
  qkv: { inner: 768, widths: [768, 256, 256], norm: true },
  out: { inner: 768, widths: [768] },
  'gate-up': { inner: 768, widths: [2048, 2048], gated: true, norm: true },
  down: { inner: 2048, widths: [768] },
  head: { inner: 768, widths: [32_000], norm: true },
};

/** Bytes of float32 weights that are read in turn, so that none is found in a CPU's cache. */
const workingSet = 64 * 2 ** 20;

const forms = ['in-out', 'out-in', 'f16', 'int8', 'int4'] as const;

/** One row by as many weights of a form as a working set holds, in one replay: the time of them all. */
async function contestants({ inner, widths, gated, norm }: Product): Promise<Contestants> {
  const x = gaussian([1, inner], 1) as tf.Tensor2D;
  const scale = tf.ones([inner]);
  const given: Norm = norm ? { kind: 'rms', weight: scale } : { kind: 'none' };
  const values = await Promise.all(
    widths.map(async (width, i) => (await gaussian([inner, width], 2 + i).data()) as Float32Array),
  );
  const bytes = 4 * inner * widths.reduce((sum, width) => sum + width, 0);
  const copies = Math.max(1, Math.round(workingSet / bytes));
  const made: tf.Tensor[] = [x, scale];
  const weightOf = (i: number, form: (typeof forms)[number]): DecodeWeight => {
    const [own, width] = [values[i]!, widths[i]!];
    if (form !== 'in-out' && form !== 'out-in') {
      const packed = packWeight(own, [inner, width], form);
      made.push(packed.words, ...(packed.scales ? [packed.scales] : []));
      return packed;
    }
    const matrix = tf.tidy(() => {
      const matrix = tf.tensor2d(own, [inner, width]);
      return form === 'in-out' ? matrix : (tf.transpose(matrix) as tf.Tensor2D);
    });
    made.push(matrix);
    return { values: matrix, layout: form };
  };
  const recordings = forms.map((form) => {
    const sets = Array.from({ length: copies }, () => widths.map((_, i) => weightOf(i, form)));
    return recordStep(() => {
      for (const weights of sets) {
        const [gate, up] = weights;
        if (gated) decodeGatedLinear(x, gate!, up!, { norm: given, activation: 'silu' });
        else decodeLinear(x, weights, { norm: given });
      }
      return [];
    });
  });
  const [ours, ...peers] = recordings.map((recording) => () => recording.replay());
  return {
    ours: ours!,
    peers: Object.fromEntries(peers.map((run, i) => [forms[i + 1]!, run])),
    dispose: () => {
      for (const recording of recordings) recording.dispose();
      tf.dispose(made);
    },
  };
}

export const workloads: Workload[] = Object.entries(products).map(([name, product]) => ({
  name: `decode-linear/${name}`,
  backends: ['webgpu'] as const,
  prepare: () => contestants(product),
}));
