import { hiddenOf } from '@headwise/runs';
import type { RunConfig } from './run-config.js';

/** Values that a step keeps at its peak, beside the parameters: of each token and width, map and logit. */
interface Kept {
  /** Times the width `D`, for each token and layer. */
  width: number;
  /** Times the width of the feed-forward part. */
  hidden: number;
  /** Times `[B, H, T, T]`, for each layer. */
  maps: number;
  /** Times `[B T, V]`. */
  logits: number;
}

/** Least squares of what steps of many sizes take: plain ones as `tf.profile` measures them, fused ones as `planMemory` plans them. */
const kept: Record<'fused' | 'plain', { straight: Kept; gated: Kept }> = {
  fused: {
    straight: { width: 18, hidden: 1, maps: 0, logits: 1 },
    gated: { width: 19, hidden: 1.5, maps: 0, logits: 1 },
  },
  plain: {
    straight: { width: 48, hidden: 6, maps: 5, logits: 8 },
    gated: { width: 46, hidden: 8, maps: 5, logits: 8.5 },
  },
};

/** Parameters, two moments, gradients, and some of what the update copies. */
const copiesOfParameters = 4.3;

/**
 * Bytes that a training step needs at its peak.
 *
 * @param fused attention runs in one kernel: on WebGPU, without dropout
 */
export function predictMemory(
  { model, training }: RunConfig,
  { vocabSize, parameters }: { vocabSize: number; parameters: number },
  { fused }: { fused: boolean },
): number {
  const { dim, layers, heads, context, feedForward } = model;
  const tokens = training.batchSize * context;
  const of = kept[fused ? 'fused' : 'plain'][feedForward === 'gated-silu' ? 'gated' : 'straight'];
  const perLayer =
    tokens * (of.width * dim + of.hidden * hiddenOf(model)) +
    of.maps * training.batchSize * heads * context ** 2;
  const values =
    copiesOfParameters * parameters + layers * perLayer + of.logits * tokens * vocabSize;
  return 4 * values;
}
