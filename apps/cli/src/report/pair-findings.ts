import type { EncoderDecoderModel, ForwardContext, LanguageModel } from '@headwise/core';
import { type AttentionMap, attentionMaps, headScores } from '@headwise/inspect';
import * as tf from '@tensorflow/tfjs';
import {
  checkLength,
  type Findings,
  type MapGroup,
  passOf,
  selfAttention,
  type Tokens,
} from './findings.js';
import type { PictureSource } from './picture-source.js';

/** A text as an encoder reads it: its ids `[1, Tk]`. */
export interface TextSource {
  readonly input: tf.Tensor;
  readonly tokens: Tokens;
}

/**
 * Looks into an encoder-decoder while it reads a source, and a target token by token: maps of the encoder, of the decoder and
 * between them, how likely each token of the target was, and what each layer would say next.
 *
 * @param target behind what every output starts with, which is its first `started` tokens; the last is expected, and not read
 * @throws InputError for a target of more tokens than the model or a page can hold
 */
export async function findingsOfPair(
  network: EncoderDecoderModel,
  { input, tokens: source, ...picture }: TextSource | PictureSource,
  target: Tokens,
  started: number,
): Promise<Findings> {
  const read = { ids: target.ids.slice(0, -1), texts: target.texts.slice(0, -1) };
  checkLength(network, read.ids, 'the target');
  const reader = { forward: (x: tf.Tensor, ctx?: ForwardContext) => network.encode(x, ctx) };
  const encoderMaps = await attentionMaps(reader, input);
  const encoded = tf.tidy(() => ({ ...network.encode(input) }));
  try {
    const { vocabSize, maxLength } = network;
    const decoder: LanguageModel = {
      ...{ vocabSize, maxLength },
      forward: (ids, ctx) => network.decode(ids, encoded, ctx),
    };
    const { maps, ...found } = await passOf(decoder, read.ids, target.ids);
    const isCross = ({ layer }: AttentionMap) => /(?:^|\.)cross$/.test(layer);
    const selfMaps = maps.filter((map) => !isCross(map));
    const crossMaps = maps.filter(isCross);
    const groups = [
      encoderGroup(encoderMaps, source, 'shown' in picture),
      selfAttention({ title: 'Decoder', about: 'from the target to itself' }, selfMaps, read),
      crossAttention(crossMaps, source, read),
    ].filter((group) => group.maps.length > 0);
    const looks =
      'shown' in picture
        ? { ...picture, words: target.texts.slice(started), maps: looksOf(crossMaps, started) }
        : undefined;
    return { direction: 'source', tokens: target, groups, looks, ...found };
  } finally {
    tf.dispose({ ...encoded });
  }
}

/** The encoder's layers; of patches no distance in tokens says anything. */
function encoderGroup(maps: AttentionMap[], source: Tokens, isPicture: boolean): MapGroup {
  if (!isPicture) {
    return selfAttention({ title: 'Encoder', about: 'from the source to itself' }, maps, source);
  }
  const about = 'from the picture to itself; patches by row, column';
  return { ...selfAttention({ title: 'Encoder', about }, maps, source), scoreNames: ['entropy'] };
}

/** The rows of cross-attention that choose the words: each that of the token before. */
function looksOf(maps: AttentionMap[], started: number): AttentionMap[] {
  return maps.map(({ layer, heads, rows, keys, values }) => {
    const kept = rows.slice(started - 1);
    const of = (head: number) => {
      const from = (head * rows.length + started - 1) * keys;
      return values.subarray(from, from + kept.length * keys);
    };
    const parts = heads.flatMap((_, h) => Array.from(of(h)));
    return { layer, heads, keys, rows: kept.map((_, i) => i), values: Float32Array.from(parts) };
  });
}

/** Layers that attend from the target to the source, where no distance between tokens is defined. */
function crossAttention(maps: AttentionMap[], source: Tokens, target: Tokens): MapGroup {
  return {
    title: 'Cross-attention',
    about: 'from target to source, while the next token is chosen',
    ...{ queries: target.texts, keys: source.texts, maps },
    scores: headScores(maps, source.ids),
    scoreNames: ['entropy'],
  };
}
