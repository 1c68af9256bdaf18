import { readTensor } from '@headwise/core';
import { createModel, encoderDecoderModel } from '@headwise/models';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { encodedSources } from './encoded-sources.js';
import { generate } from './generate.js';
import { generateBatch } from './generate-batch.js';
import type { GenerateOptions } from './options.js';
import { beamSearch } from './search/beam-search.js';
import { contrastiveSearch } from './search/contrastive-search.js';

const bart = encoderDecoderModel(
  createModel(
    {
      ...{ model_type: 'bart', vocab_size: 29, d_model: 12, encoder_layers: 1, decoder_layers: 2 },
      ...{ encoder_attention_heads: 2, decoder_attention_heads: 2, encoder_ffn_dim: 8 },
      ...{ decoder_ffn_dim: 8, max_position_embeddings: 20, init_std: 0.6 },
    },
    { seed: 3 },
  ),
);
const { network } = bart;
const prompts = [
  [5, 9, 11, 3, 17],
  [8, 2],
  [4, 20, 6, 19],
];
const greedy: GenerateOptions = { temperature: 0, maxNewTokens: 6 };

let tensors: number;
beforeAll(() => {
  tensors = tf.memory().numTensors;
});
afterAll(() => {
  expect(tf.memory().numTensors).toBe(tensors);
  bart.params.dispose();
});

/** The best tokens after a start, each from a pass over all of them. */
async function bestAfter(prompt: readonly number[], start: readonly number[]): Promise<number[]> {
  const ids = [...start];
  while (ids.length < start.length + 6) {
    const best = tf.tidy(() => {
      const encoded = network.encode(tf.tensor2d([...prompt], [1, prompt.length], 'int32'));
      const logits = network.decode(tf.tensor2d(ids, [1, ids.length], 'int32'), encoded);
      return logits.slice([0, ids.length - 1, 0], [1, 1, -1]).argMax(-1);
    });
    ids.push((await readTensor(best))[0]!);
    best.dispose();
  }
  return ids.slice(start.length);
}

const idsOf = (batch: Awaited<ReturnType<typeof generateBatch>>) =>
  batch.sequences.map(({ tokens }) => tokens.map(({ id }) => id));

test('outputs of different beginnings grow in one batch as each grows alone', async () => {
  const starts = [[2, 7, 13, 21], [2], [2, 25]];
  const expected = await Promise.all(starts.map((start, i) => bestAfter(prompts[i]!, start)));
  const options = starts.map((startIds) => ({ ...greedy, startIds }));
  expect(idsOf(await generateBatch(network, prompts, options))).toEqual(expected);
  const [beams] = await beamSearch(network, [prompts[0]!], {
    ...{ beams: 1, ...greedy, startIds: starts[0]! },
  });
  expect(beams![0]!.ids).toEqual(expected[0]);
});

test('sources that were encoded before are prompts by their numbers, padded or not', async () => {
  const expected = idsOf(await generateBatch(network, prompts, greedy));
  const padded = tf.tensor2d(
    prompts.flatMap((ids) => [...ids, 0, 0, 0].slice(0, 5)),
    [3, 5],
    'int32',
  );
  const attentionMask = tf.tensor2d(
    prompts.flatMap(({ length }) => Array.from({ length: 5 }, (_, t) => Number(t < length))),
    [3, 5],
    'int32',
  );
  const encoded = network.encode(padded, { attentionMask });
  const sources = encodedSources(network, encoded);
  expect(idsOf(await generateBatch(sources, [[2], [0], [1]], greedy))).toEqual(
    [2, 0, 1].map((i) => expected[i]),
  );
  const [beams] = await beamSearch(sources, [[1]], { beams: 3, maxNewTokens: 5 });
  const [own] = await beamSearch(network, [prompts[1]!], { beams: 3, maxNewTokens: 5 });
  expect(beams!.map(({ ids }) => ids)).toEqual(own!.map(({ ids }) => ids));
  // More sources than tokens.
  const states = tf.tidy(() => tf.tile(encoded.states.slice(2, 1), [31, 1, 1]));
  const many = encodedSources(network, { states });
  const [last] = idsOf(await generateBatch(many, [[30]], { ...greedy, maxNewTokens: 2 }));
  const [alone] = idsOf(await generateBatch(many, [[2]], { ...greedy, maxNewTokens: 2 }));
  expect(last).toHaveLength(2);
  expect(last).toEqual(alone);
  states.dispose();
  await expect(generateBatch(sources, [[3]], greedy)).rejects.toThrow(/3/);
  await expect(generateBatch(sources, [[1, 2]], greedy)).rejects.toThrow(
    'encodedSources: the numbers of sources has shape [1, 2]; expected [B, 1]',
  );
  tf.dispose([padded, attentionMask, encoded.states]);
});

test('a beginning that is none is refused by name', async () => {
  const begun = (startIds: readonly number[]) => generateBatch(network, prompts, { startIds });
  await expect(begun([])).rejects.toThrow('startIds is empty; expected at least one token');
  await expect(begun([29])).rejects.toThrow(/29/);
  await expect(begun(Array<number>(21).fill(2))).rejects.toThrow('startIds has 21 tokens');
  await expect(
    contrastiveSearch(network, prompts, { startIds: [2], penalty: 0.5, candidates: 3 }),
  ).rejects.toThrow('startIds is given for contrastiveSearch; expected none');
  const decoder = createModel({
    model_type: 'gpt2',
    n_embd: 8,
    n_head: 2,
    n_layer: 1,
    vocab_size: 9,
  });
  const tokens = generate(decoder.network, [1], { startIds: [2] });
  await expect(tokens.next()).rejects.toThrow(
    'startIds is [2] for a decoder, whose output follows its prompt',
  );
  decoder.params.dispose();
});
