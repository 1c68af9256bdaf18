import type { RunConfig } from './run-config.js';

type ModelConfig = RunConfig['model'];

/** The width of the feed-forward part. */
export function hiddenOf({ hidden, dim }: ModelConfig): number {
  return hidden ?? 4 * dim;
}

/**
 * The number of parameters, before any is made.
 *
 * `V D + C D + L (norms + 2 (D + Dₖ)(D + 1) + feed-forward) + last norm`, where `Dₖ = Hkv Dh`; the head is
 * tied to the embeddings.
 *
 * @param vocabSize `V`
 */
export function countParameters(model: ModelConfig, vocabSize: number): number {
  const { dim, layers, context } = model;
  const hidden = hiddenOf(model);
  const norm = model.norm === 'layer' ? 2 * dim : dim;
  const keys = (dim / model.heads) * (model.kvHeads ?? model.heads);
  const attention = 2 * (dim + keys) * dim + 2 * (dim + keys);
  const feedForward =
    model.feedForward === 'gated-silu' ? 3 * dim * hidden : 2 * dim * hidden + hidden + dim;
  const positions = model.position === 'learned' ? context * dim : 0;
  return vocabSize * dim + positions + layers * (2 * norm + attention + feedForward) + norm;
}

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
  vocabSize: number,
  { fused }: { fused: boolean },
): number {
  const { dim, layers, heads, context, feedForward } = model;
  const tokens = training.batchSize * context;
  const of = kept[fused ? 'fused' : 'plain'][feedForward === 'gated-silu' ? 'gated' : 'straight'];
  const perLayer =
    tokens * (of.width * dim + of.hidden * hiddenOf(model)) +
    of.maps * training.batchSize * heads * context ** 2;
  const values =
    copiesOfParameters * countParameters(model, vocabSize) +
    layers * perLayer +
    of.logits * tokens * vocabSize;
  return 4 * values;
}
