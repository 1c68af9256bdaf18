import { attention, masks } from '@headwise/kernels';
import { gaussian, type Run, type Workload } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import {
  type AttentionOperator,
  type AttentionSize,
  attentionModel,
} from '../onnx/attention-model.js';
import { attentionError } from '../onnx/exact.js';
import { onnxSession } from '../onnx/session.js';

/**
 * Attention against onnxruntime's own on the same adapter, with its error against float64.
 *
 * Both take inputs that lie ready for them and read the result: onnxruntime in Node takes tensors in
 * main memory, so that it also uploads `3 T H Dh` values.
 */
async function contestants(size: AttentionSize, ordered: boolean) {
  const { heads, length, width } = size;
  const shape = [1, heads, length, width];
  const [q, k, v] = [1, 2, 3].map((seed) => gaussian(shape, seed)) as [
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
  ];
  const inputs = (await Promise.all([q, k, v].map((x) => x.data()))) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const hidden = ordered
    ? tf.tidy(() => tf.sub(1, tf.linalg.bandPart(tf.ones([length, length]), -1, 0)).mul(-1e9))
    : undefined;
  const stock = () =>
    tf.tidy(() => {
      const scores = tf.matMul(q.mul(1 / Math.sqrt(width)), k, false, true);
      return tf.matMul(tf.softmax(hidden ? scores.add(hidden) : scores), v);
    });
  const ours = () => attention(q, k, v, { mask: ordered ? masks.causal : masks.none });
  const errors: Record<string, number> = {};
  for (const [name, run] of Object.entries({ ours, stock })) {
    const y = (await read(run)) as Float32Array;
    errors[name] = attentionError(
      size,
      ordered,
      inputs,
      (head, token, c) => y[(head * length + token) * width + c]!,
    );
  }
  const peers: Record<string, Run> = { stock: () => read(stock) };
  const operators: AttentionOperator[] = ['MultiHeadAttention'];
  if (ordered) operators.push('GroupQueryAttention');
  for (const where of ['node', 'web'] as const) {
    for (const operator of operators) {
      const name = `onnxruntime-${where} ${operator}`;
      const model = attentionModel(operator, size, ordered);
      const run = await onnxSession(
        where,
        model,
        inputs.map((x) => tokensFirst(x, size)),
        [1, length, heads * width],
      );
      const y = await run();
      errors[name] = attentionError(
        size,
        ordered,
        inputs,
        (head, token, c) => y[(token * heads + head) * width + c]!,
      );
      peers[name] = run;
    }
  }
  return {
    ours: () => read(ours),
    peers,
    errors,
    dispose: () => tf.dispose([q, k, v, ...(hidden ? [hidden] : [])]),
  };
}

async function read(run: () => tf.Tensor): Promise<unknown> {
  const y = run();
  const values = await y.data();
  y.dispose();
  return values;
}

/** `[H, T, Dh]` as `[T, H, Dh]`. */
function tokensFirst(x: Float32Array, { heads, length, width }: AttentionSize): Float32Array {
  const turned = new Float32Array(x.length);
  for (let head = 0; head < heads; head++) {
    for (let t = 0; t < length; t++) {
      const from = (head * length + t) * width;
      turned.set(x.subarray(from, from + width), (t * heads + head) * width);
    }
  }
  return turned;
}

export const workloads: Workload[] = [64, 256, 1024, 2048].flatMap((length) =>
  [false, true].map((ordered) => ({
    name: `attention/onnxruntime/${ordered ? 'causal' : 'plain'}/B1H4T${length}D64`,
    backends: ['webgpu'] as const,
    installsPeers: true,
    prepare: () => contestants({ heads: 4, length, width: 64 }, ordered),
  })),
);
