import { InputError, type LanguageModel, readTensor } from '@headwise/core';
import {
  type AttentionMap,
  attentionMaps,
  capture,
  type HeadScores,
  headScores,
  type LensLayer,
  logitLens,
} from '@headwise/inspect';
import type { HeadScoreName, Picture } from '@headwise/inspect/figures';
import * as tf from '@tensorflow/tfjs';

/** How a model expected a token of a text, from what comes before it, or from all the others where it is hidden. */
export interface Expectation {
  readonly probability: number;
  /** 1 where no token was likelier. */
  readonly rank: number;
  /** The likeliest token. */
  readonly best: { readonly id: number; readonly probability: number };
}

/** A text beside the one that the report is of. */
export interface Compared {
  readonly text: string;
  /** Of both vectors, from −1 to 1. */
  readonly cosine: number;
}

/** The tokens of a sequence: the id and the text of each. */
export interface Tokens {
  readonly ids: readonly number[];
  readonly texts: readonly string[];
}

/** Layers that attend from the same tokens to the same tokens. */
export interface MapGroup {
  /** Empty where there is one group only. */
  readonly title: string;
  /** What attends to what, in words; empty where there is one group only. */
  readonly about: string;
  /** What the queries are, and what the keys are. */
  readonly queries: readonly string[];
  readonly keys: readonly string[];
  /** One a layer. */
  readonly maps: readonly AttentionMap[];
  readonly scores: readonly HeadScores[];
  /** Which of the scores say something of these maps. */
  readonly scoreNames: readonly HeadScoreName[];
}

/** Where the words of a caption look in a picture. */
export interface Looks {
  readonly words: readonly string[];
  readonly shown: Picture;
  /** Height and width of a patch, in pixels. */
  readonly patch: readonly [number, number];
  /** One a layer; a row for each word. */
  readonly maps: readonly AttentionMap[];
}

/** What a report shows of a model and a text. */
export interface Findings {
  /** What a token is expected from: those before it, all others, or a source and those before it. */
  readonly direction: 'before' | 'both' | 'source';
  /** What was read, or of an encoder-decoder what was written. */
  readonly tokens: Tokens;
  readonly groups: readonly MapGroup[];
  readonly lens: readonly LensLayer[];
  /** One a token, where there is one: the first has nothing before it, and special tokens are not hidden. */
  readonly expectations: readonly (Expectation | undefined)[];
  /** Of a model that reads a picture. */
  readonly looks?: Looks | undefined;
  /** Texts that an encoder's vectors are compared with. */
  readonly compared?: readonly Compared[] | undefined;
}

/** The scores of maps from tokens to the same tokens. */
export const selfScores: readonly HeadScoreName[] = [
  'entropy',
  'distance',
  'previousToken',
  'induction',
];

/** What the only group is called. */
export const only: Pick<MapGroup, 'title' | 'about'> = { title: '', about: '' };

/** Layers of self-attention. */
export function selfAttention(
  { title, about }: Pick<MapGroup, 'title' | 'about'>,
  maps: readonly AttentionMap[],
  { ids, texts }: Tokens,
): MapGroup {
  const scores = headScores(maps, ids);
  return { title, about, queries: texts, keys: texts, maps, scores, scoreNames: selfScores };
}

/** The longest text that a page can show: its size grows with the square of the tokens. */
const mostTokens = 256;

/**
 * Looks into a model while it reads a text.
 *
 * @throws InputError for a text of no token, or of more than the model or a page can hold
 */
export async function findingsOf(network: LanguageModel, tokens: Tokens): Promise<Findings> {
  checkLength(network, tokens.ids);
  const { maps, ...found } = await passOf(network, tokens.ids);
  return { direction: 'before', tokens, groups: [selfAttention(only, maps, tokens)], ...found };
}

/**
 * Runs a decoder over a sequence: its attention maps, its logit lens, and the probability of each next token.
 *
 * @param expected the same, and maybe one that follows them; default the same
 */
export async function passOf(
  network: LanguageModel,
  ids: readonly number[],
  expected = ids,
): Promise<{ maps: AttentionMap[] } & Pick<Findings, 'lens' | 'expectations'>> {
  const input = tf.tensor2d([...ids], [1, ids.length], 'int32');
  try {
    return {
      maps: await attentionMaps(network, input),
      lens: await logitLens(network, input),
      expectations: await expectationsOf(network, input, expected),
    };
  } finally {
    input.dispose();
  }
}

/**
 * @param what the text is called in errors
 * @throws InputError for a text of no token, or of more than the model or a page can hold
 */
export function checkLength(
  { maxLength }: { readonly maxLength: number },
  { length }: readonly number[],
  what = 'the text',
): void {
  const most = Math.min(mostTokens, maxLength);
  if (length >= 1 && length <= most) return;
  const why = most === mostTokens ? 'a report shows' : "the model's context holds";
  throw new InputError(`${what} has ${length} tokens; ${why} 1 to ${most}`);
}

/** How a token was expected among the probabilities of all, `[V]`. */
export function expectationIn(chances: Float32Array, id: number): Expectation {
  const probability = chances[id]!;
  const best = chances.reduce((found, p, i) => (p > chances[found]! ? i : found), 0);
  return {
    probability,
    rank: 1 + chances.reduce((n, p) => (p > probability ? n + 1 : n), 0),
    best: { id: best, probability: chances[best]! },
  };
}

async function expectationsOf(
  network: LanguageModel,
  input: tf.Tensor,
  ids: readonly number[],
): Promise<(Expectation | undefined)[]> {
  const captured = capture(network, input, []);
  const all = tf.tidy(() => tf.softmax(captured.output));
  captured.dispose();
  const values = (await readTensor(all)) as Float32Array;
  all.dispose();
  const { vocabSize } = network;
  return ids.map((id, t) =>
    t === 0 ? undefined : expectationIn(values.subarray((t - 1) * vocabSize, t * vocabSize), id),
  );
}
