import type { ModelConfiguration } from '../../build/model-configuration.js';
import { type ActivationName, activationOf } from './activations.js';

/** What the layers of BERT, ViT and CLIP are made from, as Hugging Face's configurations name it. */
interface LayerSettings {
  hidden_size: number;
  num_hidden_layers: number;
  num_attention_heads: number;
  intermediate_size: number;
  hidden_act: ActivationName;
  initializer_range: number;
  layer_norm_eps: number;
}

/** The parts of a configuration that say what its layers are. */
type EncoderLayers = Pick<
  ModelConfiguration,
  'model_type' | 'dim' | 'layers' | 'heads' | 'norm' | 'feedForward' | 'layout' | 'init'
>;

/**
 * Layers of attention and a feed-forward network with biases and layer norms, without position, embedding and head.
 *
 * @param dropout of attention weights
 * @param qkv whether queries, keys and values have biases; default true
 */
export function encoderLayers(config: LayerSettings, dropout: number, qkv = true): EncoderLayers {
  return {
    model_type: 'headwise',
    dim: config.hidden_size,
    layers: config.num_hidden_layers,
    heads: { count: config.num_attention_heads, bias: { qkv, out: true }, dropout },
    norm: { kind: 'layer', epsilon: config.layer_norm_eps },
    feedForward: {
      kind: 'plain',
      hidden: config.intermediate_size,
      activation: activationOf(config.hidden_act),
      bias: true,
    },
    layout: 'out-in',
    init: { std: config.initializer_range },
  };
}
