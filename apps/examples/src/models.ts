import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { start } from '@headwise/kernels';
import { createModel, languageModel } from '@headwise/models';
import { loadModel, saveModel } from '@headwise/models/node';
import * as tf from '@tensorflow/tfjs';

await start();
const model = createModel({
  model_type: 'gpt2',
  vocab_size: 100,
  n_positions: 32,
  n_embd: 16,
  n_layer: 2,
  n_head: 4,
});
const logits = model.network.forward(tf.tensor2d([[1, 2, 3]], [1, 3], 'int32'));
console.log(logits.shape, model.params.count()); // [ 1, 3, 100 ] 8704

const folder = await mkdtemp(join(tmpdir(), 'gpt2-'));
await saveModel(folder, model); // config.json and model.safetensors, as from_pretrained loads them
const loaded = languageModel(await loadModel(folder));
const again = loaded.network.forward(tf.tensor2d([[1, 2, 3]], [1, 3], 'int32'));
console.log((await again.sub(logits).abs().max().data())[0]); // 0
