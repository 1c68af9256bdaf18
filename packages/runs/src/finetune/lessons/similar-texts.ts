import { InputError, isEncoder, type Network, readTensor } from '@headwise/core';
import { type ExampleOf, type SimilarTexts, similarTexts } from '@headwise/data';
import { sentenceEmbeddings } from '@headwise/models';
import { type ContrastBatch, contrastivePairs, type Embed } from '@headwise/training';
import * as tf from '@tensorflow/tfjs';
import {
  encodeWithin,
  idOfAny,
  type Lesson,
  type LessonSources,
  type Score,
  teach,
  zeros,
} from '../lesson.js';

/** Texts and others that mean the same, each to be told from all others of its batch. */
export function similarTextsLesson({
  examples,
  tokenizer,
  maxLength,
  embedding = { vectors: meansOfStates },
}: LessonSources<'similar'>): Lesson<SimilarTexts, ContrastBatch> {
  const { written = (text) => text } = embedding;
  const padId = idOfAny(tokenizer, ['[PAD]', '<pad>']);
  const encode = (text: string) => encodeWithin(tokenizer, written(text), maxLength);
  const unit = (network: Network): Embed => {
    const vectors = embedding.vectors(network);
    return (ids, ctx) => {
      const found = vectors(ids, ctx);
      return found.div(found.norm('euclidean', -1, true).maximum(1e-12));
    };
  };
  return {
    taught: teach<ExampleOf['similar'], SimilarTexts>(
      examples,
      ({ anchor, positive, negative }) => {
        const made = [anchor, positive, ...(negative === undefined ? [] : [negative])].map(encode);
        const ids = made.map(({ encoding }) => encoding.ids);
        if (ids.some(({ length }) => length === 0)) return undefined;
        const [first, second, third] = ids;
        const example = { anchor: first!, positive: second!, negative: third };
        return { example, cut: made.some(({ cut }) => cut) };
      },
    ),
    tokensOf: (example) => textsOf(example).reduce((sum, { length }) => sum + length, 0),
    sizeOf: (example) => ({ tokens: Math.max(...textsOf(example).map(({ length }) => length)) }),
    ofSize: ({ tokens }) => ({
      anchor: zeros(tokens),
      positive: zeros(tokens),
      negative: examples.examples.some(({ negative }) => negative !== undefined)
        ? zeros(tokens)
        : undefined,
    }),
    collate: similarTexts({ padId }),
    objective: (network) => contrastivePairs(unit(network)),
    freeze: (path) => ofHead.test(path),
    leastRows: 2,
    score: recall((network) => unit(network)),
  };
}

/** What comes after the hidden states, which the vectors do not depend on. */
const ofHead = /^(?:head|pooler|nextSentence|score)\./;

const textsOf = ({ anchor, positive, negative }: SimilarTexts): ArrayLike<number>[] => [
  anchor,
  positive,
  ...(negative ? [negative] : []),
];

/** The mean of hidden states, for a folder that does not say how vectors are made. */
function meansOfStates(network: Network): Embed {
  if (isEncoder(network)) return (ids, ctx) => sentenceEmbeddings(network, ids, ctx);
  throw new InputError('embed: the model is not an encoder; expected one such as BertModel');
}

/** The share of anchors that are nearest to their own positive, of all positives and negatives that are measured on. */
function recall(embed: (network: Network) => Embed): Score<SimilarTexts> {
  return async (network, examples, { signal }) => {
    const vectors = embed(network);
    const vectorOf = async (ids: ArrayLike<number>) => {
      signal?.throwIfAborted();
      const found = tf.tidy(() => {
        const shape: [number, number] = [1, ids.length];
        const attentionMask = tf.ones<tf.Rank.R2>(shape, 'int32');
        return vectors(tf.tensor2d(Array.from(ids), shape, 'int32'), { attentionMask });
      });
      const values = Float32Array.from(await readTensor(found));
      found.dispose();
      return values;
    };
    const all = async (texts: readonly ArrayLike<number>[]) => {
      const made: Float32Array[] = [];
      for (const ids of texts) made.push(await vectorOf(ids));
      return made;
    };
    const anchors = await all(examples.map(({ anchor }) => anchor));
    const candidates = await all([
      ...examples.map(({ positive }) => positive),
      ...examples.flatMap(({ negative }) => (negative ? [negative] : [])),
    ]);
    const found = anchors.filter((anchor, n) => {
      const own = dot(anchor, candidates[n]!);
      // A positive that another example has too is no mistake.
      return candidates.every((other) => dot(anchor, other) <= own);
    });
    return { 'recall@1': found.length / anchors.length };
  };
}

const dot = (a: Float32Array, b: Float32Array): number =>
  a.reduce((sum, value, i) => sum + value * b[i]!, 0);
