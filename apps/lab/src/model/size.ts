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

/** As measured: TensorFlow.js keeps what a step makes, forward and backward, until its end. */
const kept: Record<'fused' | 'plain', { straight: Kept; gated: Kept }> = {
  fused: {
    straight: { width: 59, hidden: 8, maps: 0.1, logits: 0.7 },
    gated: { width: 59, hidden: 10, maps: 0.1, logits: 0.7 },
  },
  plain: {
    straight: { width: 105, hidden: 11, maps: 11.3, logits: 5 },
    gated: { width: 93, hidden: 18, maps: 11.3, logits: 5 },
  },
};

/** Parameters, two moments, gradients and their clipped copies. */
const copiesOfParameters = 5;

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
