import { InputError, readTensor } from '@headwise/core';
import { generate, type SamplingOptions } from '@headwise/generation';
import * as tf from '@tensorflow/tfjs';
import { labelOf, type Piece, Pieces, piecesOf } from '../text/token-text.js';
import type { Token } from './inspection.js';
import type { OpenModel } from './models.js';

/** A token with how likely the model thought it, before temperature and cuts. */
export interface WrittenToken extends Piece {
  /** Undefined for the first token, before which the model saw nothing. */
  probability?: number;
}

/** The scores of what could come next, best first. */
export interface NextScores {
  tokens: Token[];
  /** Logits, in the order of `tokens`. */
  scores: Float32Array;
  /** The log of the sum of `exp` of all scores of the vocabulary, those that are not sent among them. */
  logSum: number;
  /** Steps that the model had made, of a run. */
  step?: number;
}

/** How many of the best next tokens are sent to the page. */
const mostSent = 512;

/** Tokens with their probabilities; only the newest that the model can see at once have one. */
export async function scoreIds(model: OpenModel, all: readonly number[]): Promise<WrittenToken[]> {
  const { tokenizer, network } = model;
  const start = Math.max(0, all.length - network.maxLength);
  const ids = all.slice(start);
  const probabilities = tf.tidy(() => {
    const logits = network.forward(tf.tensor2d([ids], [1, ids.length], 'int32')).squeeze([0]);
    return tf.softmax(logits.slice([0, 0], [Math.max(1, ids.length - 1), -1]));
  });
  const values = await readTensor(probabilities);
  probabilities.dispose();
  return piecesOf(tokenizer, all).map((piece, i) => ({
    ...piece,
    ...(i <= start ? {} : { probability: values[(i - start - 1) * network.vocabSize + piece.id]! }),
  }));
}

/** What the model expects after some tokens. */
export async function nextScores(model: OpenModel, all: readonly number[]): Promise<NextScores> {
  const { network, tokenizer } = model;
  if (all.length === 0) throw new InputError('the text is empty; write a word to go on from');
  const ids = all.slice(-network.maxLength);
  const last = tf.tidy(() =>
    network
      .forward(tf.tensor2d([ids], [1, ids.length], 'int32'))
      .slice([0, ids.length - 1, 0], [1, 1, network.vocabSize])
      .reshape([network.vocabSize]),
  );
  const logits = (await readTensor(last)) as Float32Array;
  last.dispose();
  const order = [...logits.keys()].sort((a, b) => logits[b]! - logits[a]!);
  const most = logits[order[0]!]!;
  const sent = order.slice(0, mostSent);
  return {
    tokens: sent.map((id) => ({ id, text: labelOf(tokenizer, id, all) })),
    scores: Float32Array.from(sent, (id) => logits[id]!),
    logSum: most + Math.log(logits.reduce((sum, x) => sum + Math.exp(x - most), 0)),
    ...(model.step === undefined ? {} : { step: model.step }),
  };
}

/** Writes on after some tokens, telling each as it comes, until it is asked to end. */
export async function write(
  model: OpenModel,
  ids: readonly number[],
  options: SamplingOptions & { maxNewTokens: number; seed: number },
  { signal, progress }: { signal: AbortSignal; progress: (token: Piece) => void },
): Promise<number[]> {
  const { network, tokenizer } = model;
  const made: number[] = [];
  const prompt = ids.slice(-network.maxLength);
  const pieces = new Pieces(tokenizer, ids);
  for await (const id of generate(network, prompt, { ...options, signal })) {
    made.push(id);
    progress(pieces.push(id));
  }
  return made;
}
