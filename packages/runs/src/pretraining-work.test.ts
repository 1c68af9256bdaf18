import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { prepareData } from './data.js';
import { checkRunFits } from './model.js';
import { newWork } from './new-work.js';
import { parseRunConfig } from './parse-run-config.js';

const words = ['the whale', 'a sailor', 'our boat', 'the sea', 'an old ship'];
const text = Array.from(
  { length: 200 },
  (_, i) => `${words[i % 5]} saw ${words[(i * 3) % 5]}.`,
).join(' ');
const sizes = { num_heads: 2, num_layers: 1, d_model: 16, d_kv: 8, d_ff: 32, dropout_rate: 0 };
const models = {
  'masked-lm': {
    ...{ model_type: 'bert', architectures: ['BertForMaskedLM'], hidden_size: 16 },
    ...{ intermediate_size: 32, num_hidden_layers: 1, num_attention_heads: 2 },
    ...{ hidden_dropout_prob: 0, attention_probs_dropout_prob: 0, max_position_embeddings: 32 },
  },
  'span-corruption': { model_type: 't5', ...sizes },
} as const;

const run = (objective: string, config: object, more: object = {}) =>
  parseRunConfig({
    objective,
    model: { config, context: 24 },
    tokenizer: { kind: 'character' },
    data: { corpus: 'a.txt' },
    training: { steps: 30, batchSize: 8, learningRate: 0.02 },
    ...more,
  });

test.each(Object.entries(models))(
  '%s: a new model learns what a text hides',
  async (objective, model) => {
    const config = run(objective, model);
    const data = await prepareData(config, { text });
    const { numTensors } = tf.memory();
    const { measure, objective: learned, batches, optimizer, model: made } = newWork(config, data);
    const params = made.params.named();
    const before = (await measure!({})).loss;
    for (let step = 0; step < 30; step++) {
      const batch = await batches.at(step);
      const { value, grads } = tf.variableGrads(() => learned.loss(batch), Object.values(params));
      const named = Object.fromEntries(
        Object.entries(params).map(([path, { name }]) => [path, grads[name]!]),
      );
      optimizer.update(named, 0.02);
      tf.dispose([value, grads]);
    }
    const after = await measure!({});
    expect(after.loss).toBeLessThan(before - 0.3);
    expect(after.metrics!['token accuracy']).toBeGreaterThan(0.15);
    // The same windows are hidden anew in another step, and the same in the same one.
    expect(await batches.at(3)).toEqual(await batches.at(3));
    optimizer.dispose();
    made.params.dispose();
    expect(tf.memory().numTensors).toBe(numTensors);
  },
);

test('an objective is refused for a model or data that it is not for', () => {
  const refused = (config: ReturnType<typeof run>) => () => checkRunFits(config);
  expect(refused(run('masked-lm', models['span-corruption']))).toThrow(
    "is an encoder-decoder with the head 'language-model'; 'masked-lm' trains encoders such as BertForMaskedLM",
  );
  expect(refused(run('span-corruption', models['masked-lm']))).toThrow(
    "'span-corruption' trains encoder-decoders such as T5",
  );
  expect(refused(run('causal-lm', models['masked-lm']))).toThrow('runs train decoders');
  expect(() => run('masked-lm', models['masked-lm'], { samples: {} })).toThrow(
    "'objective' is 'masked-lm': 'samples' are written by decoders; leave it out",
  );
  expect(() => run('mlm', models['masked-lm'])).toThrow('\'objective\' is "mlm"');
  expect(() =>
    run('masked-lm', {}, { model: { dim: 8, heads: 2, layers: 1, context: 8 } }),
  ).toThrow("'model' has the parts of a decoder; expected 'model.config'");
});
