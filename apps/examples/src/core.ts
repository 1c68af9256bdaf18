import { initializers, ParamStore, Random, readTensor } from '@headwise/core';
import { start } from '@headwise/kernels';
import * as tf from '@tensorflow/tfjs';

const { backend, adapter, software } = await start();
console.error(`${backend}, ${adapter ?? 'no GPU'}${software ? ', in software' : ''}`);

const params = new ParamStore({ seed: 1 });
const weight = params.at('head').get('weight', [2, 3], initializers.normal(0.02));
console.log(Object.keys(params.named()), params.count()); // [ 'head.weight' ] 6
console.log(params.at('head').get('weight', [2, 3], initializers.normal(0.02)) === weight); // true

const y = tf.matMul(tf.zeros([1, 2]), weight as unknown as tf.Tensor2D);
console.log(await readTensor(y)); // Float32Array(3) [ 0, 0, 0 ]

const random = new Random(7);
const later = new Random(random.state);
console.log(random.nextUint32() === later.nextUint32()); // true
params.dispose();
