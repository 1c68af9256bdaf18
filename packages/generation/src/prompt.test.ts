import { readFileSync } from 'node:fs';
import { AdaptedModel, createModel, encoderDecoderModel } from '@headwise/models';
import { expect, onTestFinished, test } from 'vitest';
import { generateBatch, score } from './index.js';

test('a prompt is checked against the vocabulary of the side that reads it', async () => {
  const folder = '../../parity/goldens/marian-two-vocabularies/config.json';
  const config = JSON.parse(readFileSync(new URL(folder, import.meta.url), 'utf8'));
  const { network, params } = encoderDecoderModel(createModel(config, { seed: 1 }));
  onTestFinished(() => params.dispose());
  expect([network.sourceVocabSize, network.vocabSize]).toEqual([53, 47]);
  const options = { maxNewTokens: 3, temperature: 0 };
  for (const one of [network, new AdaptedModel(network)]) {
    const { sequences } = await generateBatch(one, [[52, 7], [1]], options);
    for (const { tokens } of sequences) for (const { id } of tokens) expect(id).toBeLessThan(47);
    await expect(generateBatch(one, [[53]], options)).rejects.toThrow('53');
    expect((await score(one, [52], [46])).tokens).toHaveLength(1);
    await expect(score(one, [52], [47])).rejects.toThrow('47');
  }
  for (const more of [{ encoderNoRepeatNgramSize: 2 }, { encoderRepetitionPenalty: 1.5 }]) {
    await expect(generateBatch(network, [[1]], { ...options, ...more })).rejects.toThrow(
      `${Object.keys(more)[0]} compares ids of the prompt with those of the output, whose vocabularies have 53 and 47 ids`,
    );
  }
});
