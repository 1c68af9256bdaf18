import { readTensor } from '@headwise/core';
import { layerNorm, sparseCrossEntropy, start } from '@headwise/kernels';
import * as tf from '@tensorflow/tfjs';

await start();

const x = tf.tensor2d([1, 2, 3, 4, 6, 8], [2, 3]);
const y = layerNorm(x, tf.ones([3]), tf.zeros([3])); // [2, 3]
console.log((await readTensor(y)).map((v) => Math.round(v * 100))); // Float32Array(6) [ -122, 0, 122, -122, 0, 122 ]

const gradient = tf.grad((v) =>
  layerNorm(v, tf.ones([3]), tf.zeros([3]))
    .square()
    .sum(),
);
console.log(gradient(x).shape); // [ 2, 3 ]

const loss = sparseCrossEntropy(tf.zeros([2, 4]), tf.tensor1d([0, 3], 'int32')); // [2], nats
console.log((await readTensor(loss)).map((v) => Math.round(v * 1e4))); // Float32Array(2) [ 13863, 13863 ]
