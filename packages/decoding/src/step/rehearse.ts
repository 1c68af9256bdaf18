import type { LanguageModel } from '@headwise/core';
import { sampleTokens } from '@headwise/kernels';
import { checkedSampling } from '@headwise/kernels/internal';
import * as tf from '@tensorflow/tfjs';
import { KeyValueCache } from '../cache/key-value-cache.js';
import { StepLoop } from './loop.js';
import { type StepPlan, stepPlanOf } from './plan.js';

/**
 * Runs a prompt and the step after it as `generate` does, for their programs: within the step of `compilePipelines`, which
 * computes nothing.
 *
 * @param promptLength at least 1, cut to the model's `maxLength`
 */
export function rehearse(network: LanguageModel, promptLength: number): void {
  const length = Math.min(promptLength, network.maxLength);
  const cache = new KeyValueCache();
  const plan = stepPlanOf(network);
  try {
    tf.tidy(() => (plan ? ofStep(network, plan, cache, length) : ofLayers(network, cache, length)));
  } finally {
    plan?.dispose();
    cache.dispose();
  }
}

/** The fused step processes the last token of the prompt. */
function ofStep(
  network: LanguageModel,
  plan: StepPlan,
  cache: KeyValueCache,
  length: number,
): void {
  if (length > 1) hiddenOf(network, length - 1, cache);
  const loop = new StepLoop(plan, cache, { sampling: checkedSampling({}), maxLength: length });
  try {
    loop.rehearse({ id: 0, position: length - 1 }, { history: [] });
  } finally {
    loop.dispose();
  }
}

function ofLayers(network: LanguageModel, cache: KeyValueCache, length: number): void {
  if (length > 1) {
    const [, , width] = hiddenOf(network, length - 1, cache).shape as [number, number, number];
    // The head scores the last position alone.
    tf.zeros([1, 2, width]).slice([0, 1, 0], [1, 1, width]);
  }
  const scores = network.forward(tf.zeros([1, 1], 'int32'), { cache });
  sampleTokens(scores.reshape([1, network.vocabSize]), {}, 0);
}

/** What the layers make of some tokens; where the head is one matrix, all but the scores. */
function hiddenOf(network: LanguageModel, tokens: number, cache: KeyValueCache): tf.Tensor {
  const ids = tf.zeros([1, tokens], 'int32');
  const { head } = network;
  return head ? head.hidden(ids, { cache }) : network.forward(ids, { cache });
}
