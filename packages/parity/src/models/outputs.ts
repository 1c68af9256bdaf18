import {
  type ForwardContext,
  isEncoder,
  isEncoderDecoder,
  isLanguageModel,
  type Tap,
} from '@headwise/core';
import { type Model, sentenceEmbeddings } from '@headwise/models';
import * as tf from '@tensorflow/tfjs';
import type { Golden, Tensors } from './golden.js';
import { outputsOfSegments } from './segments.js';

/** What Hugging Face calls the outputs of encoders. */
const theirNames: Record<string, string> = {
  hidden: 'last_hidden_state',
  pooled: 'pooler_output',
  tokenLogits: 'prediction_logits',
  nextSentenceLogits: 'seq_relationship_logits',
  startLogits: 'start_logits',
  endLogits: 'end_logits',
};

/** What a model gives, by Hugging Face's names; `tap` sees what it passes, `given` is what the context holds besides. */
export function outputsOf(
  { network, family }: Pick<Model, 'network' | 'family'>,
  inputs: Tensors,
  tap?: Tap,
  given: ForwardContext = {},
): Tensors {
  const { input_ids: ids, attention_mask: attentionMask } = inputs as Record<string, tf.Tensor>;
  const ctx = { ...given, ...(tap ? { tap } : {}), ...(attentionMask ? { attentionMask } : {}) };
  if (isLanguageModel(network)) {
    return family.modelType === 'transfo-xl'
      ? outputsOfSegments(network, ids!, tap)
      : { logits: network.forward(ids!, { ...ctx, ...theirPositions(family.modelType, inputs) }) };
  }
  if (isEncoder(network)) {
    const { pixel_values: pixels } = inputs;
    const given = pixels ? channelsLast(pixels) : ids!;
    const tokenTypes = inputs.token_type_ids;
    const encoding = { ...ctx, ...(tokenTypes ? { tokenTypes } : {}) };
    const outputs = Object.entries(network.forward(given, encoding));
    const embedding = pixels ? 'image_embeds' : 'text_embeds';
    const named = Object.fromEntries(
      outputs.map(([name, value]) => [{ ...theirNames, embedding }[name] ?? name, value]),
    );
    if (!('cotangent.sentence_embedding' in inputs)) return named;
    return { ...named, sentence_embedding: sentenceEmbeddings(network, ids!, encoding) };
  }
  const { source, sourceMask, ids: read, mask } = pairInputs(inputs);
  const masked = (attentionMask?: tf.Tensor) => ({
    ...(tap ? { tap } : {}),
    ...(attentionMask ? { attentionMask } : {}),
  });
  const encoded = network.encode(source, { ...given, ...masked(sourceMask) });
  const logits = network.decode(read, encoded, masked(mask));
  return { encoder_last_hidden_state: encoded.states, logits };
}

/** Pictures as encoders take them here, from transformers' `[B, C, H, W]`. */
const channelsLast = (pixels: tf.Tensor): tf.Tensor => pixels.transpose([0, 2, 3, 1]);

/** What the encoder and the decoder of an encoder-decoder read; a decoder that is given states has them beside its own ids. */
function pairInputs(inputs: Tensors) {
  const { encoder_hidden_states: states, pixel_values: pixels, input_ids: ids } = inputs;
  const {
    attention_mask: mask,
    encoder_attention_mask: statesMask,
    input_features: sounds,
  } = inputs;
  if (states) return { source: states, sourceMask: statesMask, ids: ids!, mask };
  return {
    source: pixels ? channelsLast(pixels) : (sounds?.transpose([0, 2, 1]) ?? ids!),
    sourceMask: mask,
    ids: inputs.decoder_input_ids!,
    mask: inputs.decoder_attention_mask,
  };
}

/** One row of what a golden's encoder reads, and its mask. */
export function sourceRow(
  inputs: Tensors,
  row: number,
): { source: tf.Tensor; mask?: tf.Tensor | undefined } {
  const { source, sourceMask } = pairInputs(inputs);
  const slice = (x: tf.Tensor) =>
    x.slice([row, ...Array<number>(x.rank - 1).fill(0)], [1, ...x.shape.slice(1)]);
  return { source: slice(source), ...(sourceMask && { mask: slice(sourceMask) }) };
}

/**
 * The default positions of transformers' `forward`: indices that number left padding too, unlike those of its `generate`.
 * They matter to learned positions.
 */
function theirPositions(modelType: string, inputs: Tensors): { positions?: tf.Tensor | undefined } {
  const { position_ids: given, input_ids: ids } = inputs;
  if (given) return { positions: given };
  if (modelType !== 'gpt2') return {};
  const [batch, length] = ids!.shape as [number, number];
  const places = Int32Array.from({ length: batch * length }, (_, i) => i % length);
  return { positions: tf.tensor2d(places, [batch, length], 'int32') };
}

/** Outputs, and the hidden states and attention maps that a golden has, by Hugging Face's names. */
export function outputsAndStates(model: Model, golden: Golden): Tensors {
  const seen: Tensors = {};
  try {
    const outputs = outputsOf(model, golden.inputs, (path, value) => {
      // It is seen inside of a tidy, whose end it has to outlive; embeddings take a second pass.
      seen[path] ??= tf.keep(value.clone());
    });
    const states = Object.entries(statesOf(seen, golden, isEncoderDecoder(model.network)));
    return { ...outputs, ...Object.fromEntries(states.map(([name, x]) => [name, x.clone()])) };
  } finally {
    tf.dispose(seen);
  }
}

const stateName = /^(segment_\d+\.)?(encoder_|decoder_|cross_)?(hidden_states|attentions)\.(\d+)$/;

/** Hidden states and attention maps by Hugging Face's names, from what a tap has seen. */
function statesOf(seen: Tensors, { outputs, kind: model }: Golden, both: boolean): Tensors {
  const states: Tensors = {};
  for (const name of Object.keys(outputs)) {
    const [, segment = '', kind = '', what, layer] = stateName.exec(name) ?? [];
    if (!what) continue;
    const stack = segment + (!both ? '' : kind === 'encoder_' ? 'encoder.' : 'decoder.');
    // ViT's and CLIP's last state is what leaves the last block.
    const plain = /^(ViT|CLIP)/.test(model) || (kind === 'encoder_' && /^Vision/.test(model));
    const last = !plain && !(`${name.replace(/\d+$/, '')}${Number(layer) + 1}` in outputs);
    const block = (number: number) => `${stack}blocks.${number}`;
    const tapOfState = () => {
      if (layer === '0') return `${stack}embedded`;
      // The last state has the last norm behind it, where there is one.
      const final = `${stack}final`;
      return last && final in seen ? final : `${block(Number(layer) - 1)}.resid`;
    };
    const part = kind === 'cross_' ? 'cross' : 'attn';
    const tap = what === 'attentions' ? `${block(Number(layer))}.${part}.pattern` : tapOfState();
    if (seen[tap]) states[name] = seen[tap];
  }
  return states;
}

/** Zeros where the query is padding, as in goldens: models do not define those values. */
export function withoutPadding(
  name: string,
  value: tf.Tensor,
  { inputs, kind }: Golden,
): tf.Tensor {
  if (kind.endsWith('ForQuestionAnswering') && value.rank === 2) return value;
  const decoder = /^(decoder|cross)_/.test(name) || (name === 'logits' && inputs.decoder_input_ids);
  const { attention_mask: tokens, decoder_attention_mask: target = tokens } = inputs;
  const mask = decoder ? target : tokens;
  if (!mask || value.rank < 2) return value;
  const [batch, length] = mask.shape as [number, number];
  const zeros = tf.zerosLike(value);
  const kept = (shape: number[]) => tf.where(mask.reshape(shape).toBool(), value, zeros);
  if (value.rank === 4) return kept([batch, 1, length, 1]);
  if (value.shape[1] !== length) return value;
  return kept([batch, length, ...Array<number>(value.rank - 2).fill(1)]);
}
