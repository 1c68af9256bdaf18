// Saves adapters of every variant with the built packages, beside models of every topology, and has PEFT load them: their logits are compared
// with ours. Ends with 1 where PEFT refuses a key, or an error is above the bound.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs';
import { isEncoder, isEncoderDecoder } from '../../packages/core/dist/index.js';
import { AdaptedModel, Lora } from '../../packages/models/dist/index.js';
import { loadModel, saveAdapter } from '../../packages/models/dist/node.js';
import { readSafetensors, writeSafetensors } from '../../packages/safetensors/dist/index.js';
import { environment, run } from '../python.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const goldens = fileURLToPath(new URL('../../packages/parity/goldens', import.meta.url));

// GPT-2's maps lie [in, out]; the others' [out, in], with grouped heads, a classifier, and two stacks.
const models = ['gpt2', 'llama-gqa-llama3', 'bert-sequence-classification', 't5'];
const variants = {
  LoRA: {},
  rsLoRA: { rankStabilized: true },
  DoRA: { dora: true },
  'DoRA with rsLoRA': { dora: true, rankStabilized: true },
};

tf.env().set('PROD', true);
await tf.setBackend('cpu');
const work = mkdtempSync(join(tmpdir(), 'headwise-peft-'));
try {
  for (const model of models) {
    for (const [variant, options] of Object.entries(variants)) {
      await save(join(work, `${model}, ${variant}`), model, options);
    }
  }
  const { python } = environment('peft', join(here, 'requirements.txt'));
  run(python, [join(here, 'load.py'), goldens, work, join(here, 'result.json')]);
} finally {
  rmSync(work, { recursive: true });
}

/** Saves an adapter whose every parameter is random, with the inputs of the model's golden and our logits. */
async function save(folder, name, options) {
  const model = await loadModel(join(goldens, name));
  const targets = /(attn|crossAttn|mlp)\.\w+$/;
  const lora = new Lora(model.params, { rank: 3, alpha: 5, targets, ...options });
  let seed = 1;
  for (const [path, variable] of Object.entries(lora.params.named())) {
    const noise = tf.randomNormal(variable.shape, 0, 0.1, 'float32', seed++);
    // Magnitudes are norms of what is trained: near those of the model.
    variable.assign(path.endsWith('.loraMagnitude') ? variable.mul(noise.add(1)) : noise);
  }
  mkdirSync(folder);
  await saveAdapter(folder, model, lora);
  const golden = readSafetensors(readFileSync(join(goldens, name, 'expected.safetensors')));
  const idsOf = (key) => {
    const { data, shape } = golden.get(`inputs.${key}`);
    return tf.tensor(Int32Array.from(data), [...shape], 'int32');
  };
  const network = new AdaptedModel(model.network, lora);
  const ids = idsOf('input_ids');
  const logits = isEncoderDecoder(network)
    ? network.decode(idsOf('decoder_input_ids'), network.encode(ids))
    : isEncoder(network)
      ? network.forward(ids).logits
      : network.forward(ids);
  const file = { logits: { shape: logits.shape, data: await logits.data() } };
  writeFileSync(join(folder, 'ours.safetensors'), writeSafetensors(file));
  for (const { params } of [lora, model]) params.dispose();
}
