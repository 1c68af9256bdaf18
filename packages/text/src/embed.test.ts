import { readFileSync } from 'node:fs';
import { createModel, encoderDecoderModel } from '@headwise/models';
import { loadModel } from '@headwise/models/node';
import { type Tokenizer, trainCharacter } from '@headwise/tokenizers';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { embed } from './index.js';
import type { Pooling } from './pooling.js';

interface Golden {
  readonly ids: number[][];
  readonly vectors: Partial<Record<Pooling, number[][]>>;
  readonly normalized: Golden['vectors'];
}

const { models } = JSON.parse(
  readFileSync(new URL('goldens/embeddings.json', import.meta.url), 'utf8'),
) as { models: Record<string, Golden> };

let tokenizer: Tokenizer;
beforeAll(async () => {
  tokenizer = await trainCharacter(['abcdefgh ']);
});

const furthest = (found: readonly Float32Array[], expected: readonly ArrayLike<number>[]) =>
  Math.max(...found.flatMap((v, n) => Array.from(v, (x, i) => Math.abs(x - expected[n]![i]!))));

const config = { model_type: 'bert', hidden_size: 8, num_hidden_layers: 1, num_attention_heads: 2 };

function tiny() {
  const sizes = { ...config, intermediate_size: 8, max_position_embeddings: 6 };
  const model = createModel({ ...sizes, vocab_size: tokenizer.vocabSize }, { seed: 1 });
  onTestFinished(() => model.params.dispose());
  return model;
}

test.each(Object.entries(models))(
  '%s: vectors of unequal sequences are those of sentence-transformers, in a batch and alone',
  async (name, golden) => {
    const folder = new URL(`../../parity/goldens/${name}/`, import.meta.url).pathname;
    const model = await loadModel(folder);
    onTestFinished(() => model.params.dispose());
    for (const pooling of Object.keys(golden.vectors) as Pooling[]) {
      const batch = await embed(model, tokenizer, golden.ids, { pooling });
      expect(furthest(batch, golden.vectors[pooling]!), pooling).toBeLessThan(1e-5);
      const unit = await embed(model, tokenizer, golden.ids, { pooling, normalize: true });
      expect(furthest(unit, golden.normalized[pooling]!), pooling).toBeLessThan(1e-5);
      for (const [n, ids] of golden.ids.entries()) {
        const alone = await embed(model, tokenizer, [ids], { pooling });
        expect(furthest(alone, [batch[n]!]), pooling).toBeLessThan(1e-5);
      }
    }
  },
);

test('texts are read as their tokens, and nothing stays behind', async () => {
  const model = tiny();
  const texts = ['ab', 'cdefg', 'h'];
  const first = await embed(model, tokenizer, texts);
  const { numTensors } = tf.memory();
  const ids = texts.map((text) => tokenizer.encode(text).ids);
  expect(await embed(model, tokenizer, ids)).toEqual(first);
  expect(tf.memory().numTensors).toBe(numTensors);
});

test('what cannot be embedded is refused by name', async () => {
  const model = tiny();
  const refusal = (texts: string[], options?: object) => embed(model, tokenizer, texts, options);
  await expect(refusal([])).rejects.toThrow('no text to embed');
  await expect(refusal(['a', ''])).rejects.toThrow('texts[1] has no tokens');
  await expect(refusal(['abcdefgh'])).rejects.toThrow('texts[0] has 8 tokens; the model');
  await expect(refusal(['abcdefgh'])).rejects.toThrow('context holds 6');
  expect(await refusal(['abcdefgh'], { truncate: true })).toEqual(await refusal(['abcdef']));
  await expect(refusal(['a'], { pooling: 'sum' })).rejects.toThrow(
    "pooling is 'sum'; expected one of 'mean', 'cls', 'last', 'max', 'mean-sqrt'",
  );
  await expect(refusal(['a'], { signal: AbortSignal.abort('over') })).rejects.toBe('over');
  const t5 = encoderDecoderModel(
    await loadModel(new URL('../../parity/goldens/t5/', import.meta.url).pathname),
  );
  onTestFinished(() => t5.params.dispose());
  await expect(embed(t5, tokenizer, ['a'])).rejects.toThrow('encoder-decoder');
});
