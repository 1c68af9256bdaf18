import { type EncoderModel, Random } from '@headwise/core';
import {
  collatedBatches,
  corruptSpans,
  maskPairs,
  maskTokens,
  padRows,
  sentencePairs,
} from '@headwise/data';
import {
  createModel,
  encoderDecoderModel,
  encoderModel,
  sentenceEmbeddings,
} from '@headwise/models';
import { describeOn, fullOnly } from '@headwise/testing';
import {
  contrastivePairs,
  contrastiveViews,
  type Embed,
  maskedLanguageModel,
  sentencePairPretraining,
  sequenceToSequence,
} from '@headwise/training';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { learn, letters, longest, shareOf, textRows } from './learn.cases.js';

const { tokenizer, pieces } = await letters();
const { vocabSize } = tokenizer;

/** Pieces of the book that nothing is learned from begin here. */
const unseen = 800_000;

/** Uniform numbers of 32 bits, as collators draw them. */
function randomWords(seed: number): () => number {
  const random = new Random(seed);
  return () => random.nextUint32();
}

const [end, first, sentinel] = [1, 2, 28];
const random = new Random(5);

/** Four letters, each three times: what is left out can be copied from beside it. */
function text(): { ids: number[] } {
  const letters = Array.from({ length: 4 }, () => first + Math.floor(random.next() * 26));
  return { ids: letters.flatMap((letter) => [letter, letter, letter]) };
}
const texts = (count: number) => Array.from({ length: count }, text);

const encoder = (options: object) =>
  encoderModel(
    createModel(
      {
        model_type: 'bert',
        vocab_size: vocabSize,
        hidden_size: 48,
        num_hidden_layers: 2,
        num_attention_heads: 4,
        intermediate_size: 96,
        max_position_embeddings: 32,
        hidden_dropout_prob: 0,
        attention_probs_dropout_prob: 0,
        ...options,
      },
      { seed: 1 },
    ),
  );

const embed =
  (network: EncoderModel): Embed =>
  (ids, ctx) =>
    sentenceEmbeddings(network, ids, ctx);

/** The parameters that an embedding depends on. */
const embedding = (params: ReturnType<typeof encoder>['params']) =>
  Object.fromEntries(Object.entries(params.named()).filter(([path]) => !/^pooler/.test(path)));

/** Recall@1: the share of queries, equally long, whose nearest text is their own. */
async function recall(
  network: EncoderModel,
  queries: readonly ArrayLike<number>[],
  texts: readonly ArrayLike<number>[],
): Promise<number> {
  const nearest = tf.tidy(() => {
    const [asked, given] = [queries, texts].map((rows) => {
      const { ids, shape } = padRows(rows);
      return embed(network)(tf.tensor2d(ids, [...shape], 'int32'), {}) as tf.Tensor2D;
    });
    return tf.matMul(asked!, given!, false, true).argMax(1);
  });
  const found = await nearest.data();
  nearest.dispose();
  return shareOf(
    found,
    queries.map((_, n) => n),
  );
}

describeOn('wasm', 'an encoder learns within a minute', () => {
  fullOnly(
    'a third of the masked letters of Moby-Dick, of which a sixth are blanks',
    async () => {
      const { network, params } = encoder({
        architectures: ['BertForMaskedLM'],
        num_hidden_layers: 1,
        initializer_range: 0.1,
      });
      const collate = maskTokens({ vocabSize, maskId: tokenizer.tokenToId('[MASK]')! });
      await learn({
        params: params.named(),
        objective: maskedLanguageModel(network),
        batches: collatedBatches(pieces(20_000, 20_000, 12), collate, { batchSize: 48, seed: 1 }),
        steps: 250,
        rate: 0.02,
      });
      const { inputs, targets, shape } = collate(pieces(unseen, 256, 12), randomWords(2));
      const scores = tf.tidy(() =>
        network.forward(tf.tensor2d(inputs, [...shape], 'int32')).logits!.argMax(2),
      );
      const guesses = await scores.data();
      const places = [...targets.keys()].filter((i) => targets[i]! >= 0);
      const right = (guess: (i: number) => number) =>
        shareOf(
          places.map(guess),
          places.map((i) => targets[i]!),
        );
      const blank = tokenizer.tokenToId(' ')!;
      expect(right(() => blank)).toBeLessThan(0.2);
      expect(right((i) => guesses[i]!)).toBeGreaterThan(0.33);
      scores.dispose();
      params.dispose();
    },
    longest,
  );

  fullOnly(
    'of four of five pairs whether the second part belongs after the first',
    async () => {
      const { network, params } = encoder({
        architectures: ['BertForPreTraining'],
        initializer_range: 0.1,
      });
      const random = new Random(7);
      const among = (count: number) => Math.floor(random.next() * count);
      const [maskId, firstId, separatorId] = [1, 2, 3];
      /** Each document writes three of 24 letters, its neighbours others. */
      const documents = (count: number) =>
        Array.from({ length: count }, (_, n) => {
          const letter = () => 4 + 3 * (n % 8) + among(3);
          return Array.from({ length: 8 }, () => Array.from({ length: 3 }, letter));
        });
      const cut = { length: 15, firstId, separatorId };
      const collate = maskPairs({ vocabSize, maskId });
      await learn({
        params: params.named(),
        objective: sentencePairPretraining(network),
        batches: collatedBatches(sentencePairs(documents(400), cut), collate, {
          batchSize: 32,
          seed: 1,
        }),
        steps: 220,
        rate: 0.02,
      });
      const held = sentencePairs(documents(40), { ...cut, seed: 2 }).slice(0, 128);
      const { inputs, mask, tokenTypes, labels, shape } = collate(held, randomWords(3));
      const chosen = tf.tidy(() => {
        const ints = (values: Int32Array) => tf.tensor2d(values, [...shape], 'int32');
        const given = { attentionMask: ints(mask), tokenTypes: ints(tokenTypes) };
        return network.forward(ints(inputs), given).nextSentenceLogits!.argMax(1);
      });
      // One in eight other documents writes the same letters, so that 15 of 16 pairs can be told.
      expect(shareOf(await chosen.data(), [...labels])).toBeGreaterThan(0.8);
      chosen.dispose();
      params.dispose();
    },
    longest,
  );

  test(
    'to find two of three translations among 64, where guessing finds one',
    async () => {
      const random = new Random(5);
      const draw = () => Math.floor(random.next() * 26);
      const code = Array.from({ length: 26 }, (_, n) => (7 * n + 3) % 26);
      // The first letters of the vocabulary are [PAD], [MASK] and [END].
      const pair = () => {
        const anchor = Array.from({ length: 6 }, draw);
        const positive = [...anchor].reverse().map((n) => code[n]!);
        return { anchor: anchor.map((n) => n + 3), positive: positive.map((n) => n + 3) };
      };
      const pairs = (count: number) => Array.from({ length: count }, pair);
      const { network, params } = encoder({});
      const held = pairs(64);
      const found = () =>
        recall(
          network,
          held.map(({ anchor }) => anchor),
          held.map(({ positive }) => positive),
        );
      expect(await found()).toBeLessThan(0.1);
      await learn({
        params: embedding(params),
        objective: contrastivePairs(embed(network)),
        batches: collatedBatches(
          pairs(800),
          (given) => ({
            anchors: textRows(given.map(({ anchor }) => anchor)),
            positives: textRows(given.map(({ positive }) => positive)),
            shape: [given.length] as const,
          }),
          { batchSize: 16, seed: 1 },
        ),
        steps: 60,
        rate: 0.01,
      });
      expect(await found()).toBeGreaterThan(2 / 3);
      params.dispose();
    },
    longest,
  );

  fullOnly(
    'from two dropouts of each text to find a third more texts by every third letter of them',
    async () => {
      const { network, params } = encoder({
        hidden_dropout_prob: 0.1,
        attention_probs_dropout_prob: 0.1,
      });
      const texts = pieces(unseen, 64, 32).map(({ ids }) => ids);
      const thirds = texts.map((ids) => ids.filter((_, i) => i % 3 === 0));
      const before = await recall(network, thirds, texts);
      await learn({
        params: embedding(params),
        objective: contrastiveViews(embed(network)),
        batches: collatedBatches(
          pieces(20_000, 4000, 32),
          (given) => textRows(given.map(({ ids }) => ids)),
          { batchSize: 16, seed: 1 },
        ),
        steps: 60,
        rate: 0.01,
      });
      const after = await recall(network, thirds, texts);
      expect(before).toBeLessThan(0.3);
      expect(after).toBeGreaterThan(0.36);
      params.dispose();
    },
    longest,
  );

  fullOnly(
    'to copy half of the letters of spans that are left out',
    async () => {
      const { network, params } = encoderDecoderModel(
        createModel(
          {
            model_type: 't5',
            vocab_size: sentinel + 1,
            d_model: 32,
            d_kv: 8,
            d_ff: 64,
            num_layers: 1,
            num_decoder_layers: 1,
            num_heads: 4,
            dropout_rate: 0,
            eos_token_id: end,
          },
          { seed: 1 },
        ),
      );
      const collate = corruptSpans({ firstSentinel: sentinel, endId: end, meanLength: 2 });
      await learn({
        params: params.named(),
        objective: sequenceToSequence(network),
        batches: collatedBatches(texts(3000), collate, { batchSize: 16, seed: 3 }),
        steps: 200,
        rate: 0.03,
      });
      const held = collatedBatches(texts(64), collate, { batchSize: 64 }).at(0);
      const [rows, sources, targets] = held.shape;
      const guesses = tf.tidy(() => {
        // The decoder starts with id 0 and reads each target before it predicts the next.
        const given = held.targets.map((_, i) => (i % targets === 0 ? 0 : held.targets[i - 1]!));
        const encoded = network.encode(tf.tensor2d(held.sources, [rows, sources], 'int32'));
        return network.decode(tf.tensor2d(given, [rows, targets], 'int32'), encoded).argMax(2);
      });
      const found = await guesses.data();
      const places = [...held.targets.keys()].filter((i) => {
        const target = held.targets[i]!;
        return target >= first && target < sentinel;
      });
      const share = shareOf(
        places.map((i) => found[i]!),
        places.map((i) => held.targets[i]!),
      );
      expect(share).toBeGreaterThan(0.5);
      guesses.dispose();
      params.dispose();
    },
    longest,
  );
});
