import { createModel, languageModel } from '@headwise/models';
import { countsOf, movesOf, recordedBy } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test, vi } from 'vitest';
import { generate } from './generate.js';
import { generateBatch } from './generate-batch.js';

const sizes = { vocab_size: 101, num_hidden_layers: 2, hidden_size: 24, num_attention_heads: 4 };
const families = {
  gpt2: {
    model_type: 'gpt2',
    vocab_size: 101,
    n_layer: 2,
    n_embd: 24,
    n_head: 4,
    n_positions: 160,
  },
  llama: {
    ...{ ...sizes, model_type: 'llama', intermediate_size: 40, num_key_value_heads: 2 },
    max_position_embeddings: 160,
  },
};
const prompt = Array.from({ length: 70 }, (_, i) => (i * 37) % 101);

for (const [name, configuration] of Object.entries(families)) {
  test(`the first token after a prompt of ${name} is drawn from the prompt's own pass`, async () => {
    const { network, params } = languageModel(createModel(configuration, { seed: 1 }));
    const first = async (maxNewTokens: number) => {
      const ids: number[] = [];
      for await (const id of generate(network, prompt, { maxNewTokens, temperature: 0 }))
        ids.push(id);
      return ids;
    };
    await first(2);
    const one = await recordedBy(() => first(1));
    expect(movesOf(one)).toEqual([]);
    const counts = countsOf(one);
    expect(counts['headwise/AppendKeysValues']).toBe(2);
    expect(counts['headwise/Attention']).toBe(2);
    expect(
      Object.keys(counts).filter((label) => /EmbedToken|DecodeLinear|AttendStep/.test(label)),
    ).toEqual([]);
    // Room for what is drawn afterwards is there: nothing of the cache is copied for it.
    const two = await recordedBy(() => first(60));
    expect(movesOf(two)).toEqual([]);
    expect(countsOf(two)['headwise/AppendKeysValues']).toBe(2);
    params.dispose();
  });
}

test('prompts of a batch are scored by their own pass, those that join later too', async () => {
  const { network, params } = languageModel(createModel(families.llama, { seed: 1 }));
  const prompts = [prompt.slice(0, 33), prompt.slice(3, 4), prompt.slice(5, 70)];
  const options = { maxNewTokens: 5, temperature: 0 };
  const { sequences } = await generateBatch(network, prompts, options);
  for (const [n, ids] of prompts.entries()) {
    const alone: number[] = [];
    for await (const id of generate(network, ids, options)) alone.push(id);
    expect(sequences[n]!.tokens.map(({ id }) => id)).toEqual(alone);
    // The scores of the layers alone, without a cache.
    const best = tf.tidy(() =>
      network
        .forward(tf.tensor2d(ids, [1, ids.length], 'int32'))
        .slice([0, ids.length - 1, 0], [1, 1, 101])
        .argMax(-1),
    );
    expect(alone[0]).toBe((await best.data())[0]);
    best.dispose();
  }
  params.dispose();
});

test('a head with a bias and a soft-cap is multiplied with the last token alone', async () => {
  const configuration = {
    ...{ model_type: 'headwise', topology: 'decoder', vocabSize: 101, maxLength: 160 },
    ...{ dim: 24, layers: 2, position: { kind: 'rotary' }, norm: { kind: 'rms' } },
    ...{ heads: { count: 4 }, feedForward: { kind: 'plain', hidden: 40, activation: 'gelu' } },
    ...{ block: 'pre-norm', head: { kind: 'language-model', tied: false, bias: true, softCap: 3 } },
  };
  const { network, params } = languageModel(createModel(configuration, { seed: 1 }));
  const scores = network.forward(tf.tensor2d(prompt, [1, 70], 'int32'));
  const best = scores.slice([0, 69, 0], [1, 1, 101]).argMax(-1);
  const forward = vi.spyOn(network, 'forward');
  for await (const id of generate(network, prompt, { maxNewTokens: 1, temperature: 0 })) {
    expect(id).toBe((await best.data())[0]);
  }
  expect(forward).not.toHaveBeenCalled();
  params.dispose();
});
