import { ParamStore } from '@headwise/core';
import { start } from '@headwise/kernels';
import { LearnedPosition, SinusoidalPosition } from '@headwise/positions';
import * as tf from '@tensorflow/tfjs';

await start();
const params = new ParamStore({ seed: 1 });
const learned = new LearnedPosition(params.at('positions'), { maxLength: 128, dim: 16 });
const sinusoidal = new SinusoidalPosition({ maxLength: 128, dim: 16 });

const x = tf.zeros([2, 5, 16]); // [B, T, D]
console.log(learned.forward(x).shape); // [ 2, 5, 16 ]
const first = sinusoidal.forward(x).slice([0, 0, 0], [1, 1, 4]);
console.log(await first.data()); // Float32Array(4) [ 0, 1, 0, 1 ]
