import type { LanguageModel } from '@headwise/core';
import { sampleTokens } from '@headwise/kernels';
import { checkedSampling } from '@headwise/kernels/internal';
import * as tf from '@tensorflow/tfjs';
import { KeyValueCache } from '../cache/key-value-cache.js';
import { endScores } from '../last-scores.js';
import { StepLoop } from './loop.js';
import { type StepPlan, stepPlanOf } from './plan.js';

/**
 * Runs a prompt and the step after it as `generate` does, for their programs or their memory: within the step of
 * `compilePipelines` or of `planMemory`, which compute nothing.
 *
 * @param promptLength at least 1; cut so that the model has room for one token more
 * @param cache stays the caller's; default one that is disposed
 */
export function rehearse(
  network: LanguageModel,
  promptLength: number,
  cache?: KeyValueCache,
): void {
  const length = Math.max(1, Math.min(promptLength, network.maxLength - 1));
  const used = cache ?? new KeyValueCache();
  const plan = stepPlanOf(network);
  try {
    tf.tidy(() => (plan ? ofStep(network, plan, used, length) : ofLayers(network, used, length)));
  } finally {
    plan?.dispose();
    if (!cache) used.dispose();
  }
}

/** The layers process the prompt and score its last token, the fused step what comes after it. */
function ofStep(
  network: LanguageModel,
  plan: StepPlan,
  cache: KeyValueCache,
  length: number,
): void {
  const loop = new StepLoop(plan, cache, { sampling: checkedSampling({}), maxLength: length + 1 });
  try {
    loop.reserve(length, 1);
    draw(afterPrompt(network, cache, length));
    if (network.maxLength > length) loop.rehearse({ id: 0, position: length }, { history: [] });
  } finally {
    loop.dispose();
  }
}

function ofLayers(network: LanguageModel, cache: KeyValueCache, length: number): void {
  draw(afterPrompt(network, cache, length));
  if (network.maxLength > length) draw(afterPrompt(network, cache, 1));
}

/** The scores after some tokens more. */
const afterPrompt = (network: LanguageModel, cache: KeyValueCache, tokens: number): tf.Tensor2D =>
  endScores(network, tf.zeros<tf.Rank.R2>([1, tokens], 'int32'), { cache }, 1);

const draw = (scores: tf.Tensor2D): void => void sampleTokens(scores, {}, 0);
