import { initializers, type Layer, type ParamStore } from '@headwise/core';
import { start } from '@headwise/kernels';
import { createModel, registerPart } from '@headwise/models';
import * as tf from '@tensorflow/tfjs';

await start();

/** `g x / max |x|`, over the channels of each token. */
class MaxNorm implements Layer {
  readonly #gain: tf.Tensor;

  constructor(params: ParamStore, dim: number) {
    this.#gain = params.get('gain', [dim], initializers.ones);
  }

  forward(x: tf.Tensor): tf.Tensor {
    return tf.tidy(() => x.div(x.abs().max(-1, true).add(1e-3)).mul(this.#gain));
  }
}

// By this name a checkpoint holds the part; a program that loads it registers the name, too.
registerPart('norm', 'max-norm', (params, { dim }) => new MaxNorm(params, dim));

const model = createModel({
  model_type: 'headwise',
  topology: 'decoder',
  vocabSize: 100,
  maxLength: 64,
  dim: 32,
  layers: 2,
  position: { kind: 'rotary' },
  heads: { count: 4 },
  norm: { kind: 'own', name: 'max-norm' },
  feedForward: { kind: 'gated', hidden: 88 },
  block: 'pre-norm',
  head: { kind: 'language-model', tied: true },
});
const logits = model.network.forward(tf.tensor2d([[1, 2, 3]], [1, 3], 'int32'));
console.log(logits.shape, 'blocks.0.norm1.gain' in model.params.named()); // [ 1, 3, 100 ] true
