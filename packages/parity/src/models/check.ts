import { type ForwardContext, isEncoder, isLanguageModel, readTensor } from '@headwise/core';
import { type CheckpointFiles, loadModel, type Model } from '@headwise/models';
import { checkpointTensors, withBalance } from '@headwise/models/internal';
import * as tf from '@tensorflow/tfjs';
import { type Check, checkOf } from '../receipt.js';
import { type Golden, readGolden, type Tensors } from './golden.js';
import { greedyTokens } from './greedy.js';
import { lossOf } from './loss.js';
import { outputsAndStates, outputsOf, withoutPadding } from './outputs.js';

/** The largest parts of their own size by which values may be off. */
export interface ModelBounds {
  /** Of outputs, hidden states and attention maps. */
  outputs: number;
  /** Of gradients. */
  gradients: number;
}

/** Ten times as much on WebGPU, where sums have another order in every kernel. */
export const boundsOn = (backend: string): ModelBounds => ({
  outputs: backend === 'webgpu' ? 1e-4 : 2e-5,
  gradients: 1e-4,
});

/**
 * Compares a model with what Hugging Face transformers computed from the same checkpoint: outputs on the fused path,
 * hidden states and attention maps, the loss, the gradient of the loss by every parameter, and greedy tokens.
 *
 * @param subject names the model in the checks
 * @param files `config.json`, `model.safetensors`, `expected.json` and `expected.safetensors`
 */
export async function* checkModel(
  subject: string,
  files: CheckpointFiles,
  bounds: ModelBounds = boundsOn(tf.getBackend()),
): AsyncGenerator<Check> {
  const golden = await readGolden(files);
  try {
    const model = await loadModel(files);
    try {
      yield* checkOutputs(subject, model, golden, bounds.outputs);
      yield* checkGradients(subject, model, golden, bounds.gradients);
      yield* checkTokens(subject, model, golden);
    } finally {
      model.params.dispose();
    }
  } finally {
    tf.dispose(golden.inputs);
  }
}

async function* checkOutputs(
  subject: string,
  model: Model,
  golden: Golden,
  bound: number,
): AsyncGenerator<Check> {
  // Looking at attention maps takes attention off its fused path: outputs are compared from both.
  const paths = {
    fused: tf.tidy(() => compared(outputsOf(model, golden.inputs), golden)),
    tapped: tf.tidy(() => compared(outputsAndStates(model, golden), golden)),
  };
  try {
    for (const [name, expected] of Object.entries(golden.outputs)) {
      const { [name]: fused } = paths.fused;
      const { [name]: tapped } = paths.tapped;
      if (fused) yield checkOf(subject, name, await readTensor(fused), expected, bound);
      // A part that the model does not have at all is as wrong as can be.
      const values = tapped ? await readTensor(tapped) : expected.map(() => Number.NaN);
      yield checkOf(
        subject,
        fused ? `${name}: in plain operations` : name,
        values,
        expected,
        bound,
      );
    }
  } finally {
    tf.dispose([paths.fused, paths.tapped]);
  }
}

const compared = (outputs: Tensors, golden: Golden): Tensors =>
  Object.fromEntries(
    Object.entries(outputs).map(([name, value]) => [name, withoutPadding(name, value, golden)]),
  );

async function* checkGradients(
  subject: string,
  model: Model,
  golden: Golden,
  bound: number,
): AsyncGenerator<Check> {
  const { value, grads } = tf.variableGrads(
    () => balancedLoss(model, golden),
    Object.values(model.params.named()),
  );
  try {
    yield checkOf(subject, 'loss', await readTensor(value), [golden.loss], bound);
    const gradients = checkpointTensors(model, (_, variable) => grads[variable.name]!);
    for (const [key, expected] of Object.entries(golden.gradients)) {
      const actual = (await gradients[key]?.data()) as Float32Array | undefined;
      const values = actual ?? expected.map(() => Number.NaN);
      yield checkOf(subject, `gradient.${key}`, values, expected, bound);
    }
  } finally {
    tf.dispose([value, grads]);
  }
}

/** The loss of transformers, in which the balance of experts counts where the configuration says so. */
function balancedLoss(model: Model, golden: Golden): tf.Scalar {
  const { inputs } = golden;
  const loss = (ctx?: ForwardContext) => lossOf(golden, outputsOf(model, inputs, undefined, ctx));
  const { network } = model;
  return isLanguageModel(network)
    ? withBalance(network, undefined, loss, inputs.attention_mask)
    : loss();
}

async function* checkTokens(
  subject: string,
  { network }: Model,
  { greedy, inputs }: Golden,
): AsyncGenerator<Check> {
  if (!greedy || isEncoder(network)) return;
  // Ids are equal or not: the bound is below the least difference of one id.
  yield checkOf(
    subject,
    'greedy tokens',
    await greedyTokens(network, greedy, inputs),
    greedy.tokens,
    1e-9,
  );
}
