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

/**
 * Looks into an encoder-decoder while it reads a source, and a target token by token: maps of the encoder, of the decoder and
 * between them, how likely each token of the target was, and what each layer would say next.
 *
 * @param target with the token that every output starts with
 * @throws InputError for a target of more tokens than the model or a page can hold
 */
export async function findingsOfPair(
  network: EncoderDecoderModel,
  source: tf.Tensor,
  sourceTokens: Tokens,
  target: Tokens,
): Promise<Findings> {
  checkLength(network, target.ids, 'the target');
  const reader = { forward: (x: tf.Tensor, ctx?: ForwardContext) => network.encode(x, ctx) };
  const encoderMaps = await attentionMaps(reader, source);
  const encoded = tf.tidy(() => ({ ...network.encode(source) }));
  try {
    const { vocabSize, maxLength } = network;
    const decoder: LanguageModel = {
      ...{ vocabSize, maxLength },
      forward: (ids, ctx) => network.decode(ids, encoded, ctx),
    };
    const { maps, ...found } = await passOf(decoder, target.ids);
    const isCross = ({ layer }: AttentionMap) => /(?:^|\.)cross$/.test(layer);
    const groups = [
      selfAttention(
        { title: 'Encoder', about: 'from the source to itself' },
        encoderMaps,
        sourceTokens,
      ),
      selfAttention(
        { title: 'Decoder', about: 'from the target to itself' },
        maps.filter((map) => !isCross(map)),
        target,
      ),
      crossAttention(maps.filter(isCross), sourceTokens, target),
    ].filter((group) => group.maps.length > 0);
    return { direction: 'source', tokens: target, groups, ...found };
  } finally {
    tf.dispose({ ...encoded });
  }
}

/** Layers that attend from the target to the source, where no distance between tokens is defined. */
function crossAttention(maps: AttentionMap[], source: Tokens, target: Tokens): MapGroup {
  return {
    title: 'Cross-attention',
    about: 'from each token of the target to the source, while the next is chosen',
    ...{ queries: target.texts, keys: source.texts, maps },
    scores: headScores(maps, source.ids),
    scoreNames: ['entropy'],
  };
}
