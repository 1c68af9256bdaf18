import { start } from '@headwise/kernels';
import { createModel, modelFromPreset } from '@headwise/models';
import * as tf from '@tensorflow/tfjs';

await start();
const ids = tf.tensor2d([[1, 2, 3]], [1, 3], 'int32');

// A family's settings by Hugging Face's names, and one part of it exchanged.
const sizes = { vocab_size: 100, hidden_size: 32, num_attention_heads: 4, num_hidden_layers: 2 };
const change = { position: { kind: 'alibi' } } as const;
const changed = modelFromPreset('llama', { ...sizes, intermediate_size: 88 }, { change });
console.log(changed.network.forward(ids).shape); // [ 1, 3, 100 ]

// Or every part by its kind.
const own = createModel({
  model_type: 'headwise',
  topology: 'decoder',
  vocabSize: 100,
  maxLength: 64,
  dim: 32,
  layers: 2,
  position: { kind: 't5', buckets: 16, maxDistance: 32 },
  heads: { count: 4, kv: 2, window: [null, 16] },
  score: { kind: 'scaled-dot-product', softCap: 30 },
  norm: { kind: 'rms' },
  feedForward: { kind: 'gated', hidden: 88 },
  block: 'parallel',
  head: { kind: 'language-model', tied: true },
});
console.log(own.network.forward(ids).shape); // [ 1, 3, 100 ]
