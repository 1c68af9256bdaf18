import { KeyValueCache } from '@headwise/decoding';
import { start } from '@headwise/kernels';
import { createModel } from '@headwise/models';
import * as tf from '@tensorflow/tfjs';

await start();
const sizes = { vocab_size: 50, n_positions: 16, n_embd: 16, n_layer: 1, n_head: 2 };
const { network } = createModel({ model_type: 'gpt2', ...sizes }, { seed: 1 });

const cache = new KeyValueCache();
network.forward(tf.tensor2d([[1, 2, 3]], [1, 3], 'int32'), { cache }); // prefill
const logits = network.forward(tf.tensor2d([[4]], [1, 1], 'int32'), { cache }); // one new token
console.log(logits.shape, cache.length); // [ 1, 1, 50 ] 4
cache.trim(2); // forgets the last two tokens
console.log(cache.length); // 2
cache.dispose();
