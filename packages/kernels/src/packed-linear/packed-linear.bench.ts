import { gaussian, type Workload } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { packedLinear } from './index.js';
import { packWeight, type WeightFormat } from './pack.js';

async function contestants([rows, inner, out]: readonly number[], format: WeightFormat) {
  const x = gaussian([rows!, inner!], 1) as tf.Tensor2D;
  const weight = gaussian([inner!, out!], 2).mul<tf.Tensor2D>(0.02);
  const bias = gaussian([out!], 3) as tf.Tensor1D;
  const packed = packWeight((await weight.data()) as Float32Array, [inner!, out!], format);
  return {
    ours: () => packedLinear(x, packed, bias),
    // TensorFlow.js has no packed weights: its peer multiplies in float32.
    peers: { stock: () => tf.tidy(() => tf.matMul(x, weight).add(bias)) },
    dispose: () =>
      tf.dispose([x, weight, bias, packed.words, ...(packed.scales ? [packed.scales] : [])]),
  };
}

export const workloads: Workload[] = (['f16', 'int8', 'int4'] as const).flatMap((format) =>
  [
    [1, 768, 768],
    [1, 768, 3072],
    [64, 768, 768],
  ].map((size) => ({
    name: `packed-linear/${format}/N${size[0]}I${size[1]}O${size[2]}`,
    backends: ['webgpu'] as const,
    prepare: () => contestants(size, format),
  })),
);
