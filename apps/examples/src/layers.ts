import { ParamStore, Random } from '@headwise/core';
import { start } from '@headwise/kernels';
import { Dropout, Embedding, GatedFeedForward, Linear, RMSNorm } from '@headwise/layers';
import * as tf from '@tensorflow/tfjs';

await start();
const params = new ParamStore({ seed: 1 });
const tokens = new Embedding(params.at('tokens'), { count: 100, dim: 16 });
const norm = new RMSNorm(params.at('norm'), { dim: 16 });
const mlp = new GatedFeedForward(params.at('mlp'), { dim: 16, hidden: 44 });
const head = new Linear(params.at('head'), { in: 16, out: 3, bias: false });
const dropout = new Dropout({ rate: 0.1 });

const ctx = { training: true, random: new Random(1) };
const x = tokens.forward(tf.tensor2d([[7, 42, 7]], [1, 3], 'int32')); // [B, T, D]
const y = head.forward(dropout.forward(mlp.forward(norm.forward(x)), ctx));
console.log(y.shape); // [ 1, 3, 3 ]
console.log(Object.keys(params.at('mlp').named())); // [ 'mlp.gate.weight', 'mlp.up.weight', 'mlp.down.weight' ]
