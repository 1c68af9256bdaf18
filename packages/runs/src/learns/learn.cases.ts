import { readFile } from 'node:fs/promises';
import { type EncodedText, padRows } from '@headwise/data';
import { type Tokenizer, trainCharacter } from '@headwise/tokenizers';
import {
  type EncoderBatch,
  type ExampleBatch,
  Muon,
  type Objective,
  train,
  warmupLinear,
} from '@headwise/training';
import type * as tf from '@tensorflow/tfjs';

/** In ms; a test is done within a minute where nothing else runs. */
export const longest = 300_000;

/** What is learned, and for how long. */
export interface Lesson<B extends ExampleBatch> {
  params: Readonly<Record<string, tf.Variable>>;
  objective: Objective<B>;
  batches: { at(number: number): B };
  steps: number;
  /** The highest, from which the rate falls to 0. */
  rate: number;
}

/** Trains with Muon. */
export async function learn<B extends ExampleBatch>(lesson: Lesson<B>): Promise<void> {
  const { params, objective, batches, steps, rate } = lesson;
  const optimizer = new Muon(params, { weightDecay: 0, adamw: { rate: 0.3 } });
  const schedule = warmupLinear({
    peak: rate,
    warmupSteps: Math.ceil(steps / 10),
    totalSteps: steps,
  });
  for await (const _ of train({ params, objective, batches, steps, optimizer, schedule }));
  optimizer.dispose();
}

/** The share of numbers that are equal to those expected at their place. */
export function shareOf<T>(found: ArrayLike<T>, expected: readonly T[]): number {
  return expected.filter((value, n) => found[n] === value).length / expected.length;
}

/** Rows as an encoder's batch. */
export function textRows(rows: readonly ArrayLike<number>[]): EncoderBatch {
  const { ids, mask, shape } = padRows(rows);
  return { inputs: ids, mask, shape };
}

/** The letters of Moby-Dick. */
export async function letters(): Promise<{
  tokenizer: Tokenizer;
  /** Texts of the same length that follow each other in the book, from a letter on. */
  pieces(from: number, count: number, length: number): (EncodedText & { ids: number[] })[];
}> {
  const path = new URL('../../../../apps/lab/public/texts/moby-dick.txt', import.meta.url);
  const book = (await readFile(path, 'utf8')).toLowerCase().replace(/[^a-z]+/g, ' ');
  const tokenizer = await trainCharacter(['abcdefghijklmnopqrstuvwxyz '], {
    specialTokens: ['[PAD]', '[MASK]', '[END]'],
  });
  const { ids } = tokenizer.encode(book);
  return {
    tokenizer,
    pieces: (from, count, length) =>
      Array.from({ length: count }, (_, n) => {
        const start = from + n * length;
        return { ids: ids.slice(start, start + length) };
      }),
  };
}
