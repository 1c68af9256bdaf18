import { readTensor } from '@headwise/core';
import { gaussian, type Workload } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { sampleTokens } from './index.js';
import type { SamplingOptions } from './options.js';
import { drawCandidate, samplingCandidates } from './reference.js';

function contestants(vocabulary: number, options: SamplingOptions) {
  const logits = gaussian([1, vocabulary], 1).mul<tf.Tensor2D>(3);
  const { topK } = options;
  /** As one writes it with TensorFlow.js, which can draw and keep the best, but no more. */
  const stock = () => {
    const drawn = tf.tidy(() => {
      if (topK === undefined) return tf.multinomial(logits, 1, 7);
      const { values, indices } = tf.topk(logits, topK);
      return tf.gather(indices.flatten(), tf.multinomial(values as tf.Tensor2D, 1, 7).flatten());
    });
    return read(drawn);
  };
  const read = async (ids: tf.Tensor) => {
    await readTensor(ids);
    ids.dispose();
  };
  const javascript = async () => {
    // A copy, as a tensor keeps what was read of it.
    const copy = logits.add(0);
    const scores = await readTensor(copy);
    copy.dispose();
    drawCandidate(samplingCandidates(scores, options), 7, 0);
  };
  return {
    ours: () => read(sampleTokens(logits, options, 7)),
    // Not both: after JavaScript's tens of milliseconds the software driver's threads wake late.
    peers: options.topP === undefined ? { stock } : { javascript },
    dispose: () => logits.dispose(),
  };
}

const sizes = [2, 1024, 50_257];
const options: [string, SamplingOptions][] = [
  ['plain', {}],
  ['top-k', { topK: 2 }],
  ['top-p', { topP: 0.9, temperature: 0.8 }],
];

export const workloads: Workload[] = options.flatMap(([name, given]) =>
  sizes.map((vocabulary) => ({
    name: `sampling/${name}/V${vocabulary}`,
    backends: ['webgpu'] as const,
    prepare: () => contestants(vocabulary, given),
  })),
);
