import { InputError, readTensor } from '@headwise/core';
import {
  attentionMaps,
  attentionRollout,
  capture,
  type HeadScores,
  headScores,
  type LensLayer,
  logitLens,
  type NamedInterventions,
  type Neurons,
  neurons,
  onHeads,
  zeroAblation,
} from '@headwise/inspect';
import * as tf from '@tensorflow/tfjs';
import { labelOf, labelOfBytes, piecesOf } from '../text/token-text.js';
import type { OpenModel } from './models.js';

/** A head, by its layer's path and its number. */
export interface Head {
  layer: string;
  head: number;
}

/** A token, as a person reads it. */
export interface Token {
  id: number;
  text: string;
}

/** A token with the probability that it comes next. */
export interface Prediction extends Token {
  probability: number;
}

/** What a model makes of a text. */
export interface Inspection {
  tokens: Token[];
  /** Number of tokens of the whole text; `tokens` holds the first ones. */
  of: number;
  /** Weights of each layer, `[H, T, T]` row by row. */
  maps: { layer: string; heads: number; values: Float32Array }[];
  /** What each head does. */
  scores: HeadScores[];
  /** How much of each token flowed to each through all layers, `[T, T]`. */
  rollout: Float32Array;
  /** How surprised the model was by each token but the first, nats. */
  surprise: Float32Array;
  /** Mean of `surprise`. */
  loss: number;
  /** The most likely next tokens. */
  next: Prediction[];
  step?: number;
}

/** Most tokens whose maps of all heads are shown at once. */
export const mostShown = 128;

/** Every attention map of a text, and what the model expects after it; `ablated` heads give nothing. */
export async function inspectText(
  model: OpenModel,
  text: string,
  ablated: readonly Head[],
): Promise<Inspection> {
  const { tokens, ids, of } = encode(model, text, Math.min(mostShown, model.network.maxLength));
  const interventions = ablations(ablated);
  try {
    const maps = await attentionMaps(model.network, ids, { interventions });
    const captured = capture(model.network, ids, [], { interventions });
    const scores = tf.tidy(() => tf.logSoftmax(captured.output.squeeze([0]))); // [T, V]
    captured.dispose();
    const values = (await readTensor(scores)) as Float32Array;
    scores.dispose();
    const vocabSize = model.network.vocabSize;
    const surprise = Float32Array.from(
      tokens.slice(1),
      ({ id }, i) => -values[i * vocabSize + id]!,
    );
    const loss = surprise.reduce((sum, value) => sum + value, 0) / Math.max(1, surprise.length);
    return {
      tokens,
      of,
      maps: maps.map(({ layer, heads, values }) => ({ layer, heads: heads.length, values })),
      scores: headScores(
        maps,
        tokens.map(({ id }) => id),
      ),
      rollout: attentionRollout(maps),
      surprise,
      loss,
      next: bestOf(model, values.subarray((tokens.length - 1) * vocabSize), 12, tokens.at(-1)!.id),
      ...(model.step === undefined ? {} : { step: model.step }),
    };
  } finally {
    ids.dispose();
  }
}

/** Why a token of a head looks where it looks. */
export async function headNeurons(
  model: OpenModel,
  text: string,
  { layer, head, row }: Head & { row: number },
): Promise<Neurons> {
  const { ids } = encode(model, text, Math.min(mostShown, model.network.maxLength));
  try {
    return await neurons(model.network, ids, { layer, head, row });
  } finally {
    ids.dispose();
  }
}

/** What a model would say after each token, were its last blocks left out. */
export interface Lens {
  tokens: Token[];
  layers: { name: string; best: { text: string; probability: number }[] }[];
}

/** The best next token after every token, layer by layer. */
export async function layerLens(model: OpenModel, text: string): Promise<Lens> {
  const { tokens, ids } = encode(model, text, Math.min(mostShown, model.network.maxLength));
  try {
    const layers = await logitLens(model.network, ids, { top: 1 });
    const best = (layer: LensLayer) =>
      layer.tokens.map(({ ids, probabilities }, i) => ({
        text: labelOf(model.tokenizer, ids[0]!, [tokens[i]!.id]),
        probability: probabilities[0]!,
      }));
    return { tokens, layers: layers.map((layer) => ({ name: layer.name, best: best(layer) })) };
  } finally {
    ids.dispose();
  }
}

/** Rows of a map that are computed at once: each time, the model runs anew. */
const rowsAtOnce = 2048;

/** The whole map of one head, of as many tokens as the model takes, `[T, T]`. */
export async function headMap(
  model: OpenModel,
  text: string,
  { layer, head }: Head,
): Promise<{ size: number; of: number; values: Float32Array; tokens: Token[] }> {
  const { tokens, ids, of } = encode(model, text, model.network.maxLength);
  const size = tokens.length;
  const values = new Float32Array(size * size);
  try {
    for (let first = 0; first < size; first += rowsAtOnce) {
      const count = Math.min(rowsAtOnce, size - first);
      const rows = Array.from({ length: count }, (_, i) => first + i);
      const [map] = await attentionMaps(model.network, ids, { layers: layer, heads: [head], rows });
      values.set(map!.values, first * size);
    }
  } finally {
    ids.dispose();
  }
  return { size, of, values, tokens };
}

/** Interventions that take away what heads contribute. */
function ablations(heads: readonly Head[]): NamedInterventions {
  const layers = new Map<string, number[]>();
  for (const { layer, head } of heads) layers.set(layer, [...(layers.get(layer) ?? []), head]);
  return Object.fromEntries(
    [...layers].map(([layer, numbers]) => [`${layer}.heads`, onHeads(numbers, zeroAblation)]),
  );
}

/** The first tokens of a text, as ids `[1, T]`, and how many it has. */
function encode(
  { tokenizer }: OpenModel,
  text: string,
  most: number,
): { tokens: Token[]; ids: tf.Tensor; of: number } {
  const all = tokenizer.encode(text).ids;
  if (all.length === 0) throw new InputError('there is no token to look at; write some text');
  const ids = all.slice(0, most);
  return {
    tokens: piecesOf(tokenizer, ids).map(({ id, text: part, bytes }) => ({
      id,
      text: part === '' ? (labelOfBytes(bytes) ?? labelOf(tokenizer, id)) : part,
    })),
    ids: tf.tensor2d([ids], [1, ids.length], 'int32'),
    of: all.length,
  };
}

function bestOf(
  model: OpenModel,
  logProbabilities: Float32Array,
  count: number,
  after: number,
): Prediction[] {
  return [...logProbabilities.keys()]
    .sort((a, b) => logProbabilities[b]! - logProbabilities[a]!)
    .slice(0, count)
    .map((id) => ({
      id,
      text: labelOf(model.tokenizer, id, [after]),
      probability: Math.exp(logProbabilities[id]!),
    }));
}
