import type { RunConfig } from './run-config.js';

type ModelConfig = RunConfig['model'];

/** The width of the feed-forward part. */
export function hiddenOf({ hidden, dim }: ModelConfig): number {
  return hidden ?? 4 * dim;
}

/**
 * The number of parameters, before any is made.
 *
 * `V D + C D + L (norms + 4 D² + 4 D + feed-forward) + last norm`; the head is tied to the embeddings.
 *
 * @param vocabSize `V`
 */
export function countParameters(model: ModelConfig, vocabSize: number): number {
  const { dim, layers, context } = model;
  const hidden = hiddenOf(model);
  const norm = model.norm === 'layer' ? 2 * dim : dim;
  const attention = 4 * dim * dim + 4 * dim;
  const feedForward =
    model.feedForward === 'gated-silu' ? 3 * dim * hidden : 2 * dim * hidden + hidden + dim;
  const positions = model.position === 'learned' ? context * dim : 0;
  return vocabSize * dim + positions + layers * (2 * norm + attention + feedForward) + norm;
}

/**
 * Bytes that a training step needs at its peak.
 *
 * Parameters, gradients and two moments are 16 bytes a parameter; every layer keeps what its gradient
 * needs: about 12 values a token of width `D` and 2 of the hidden width. Attention in plain operations
 * also keeps three maps `[B, H, T, T]` a layer; fused, it keeps none.
 *
 * @param fused attention runs in one kernel: on WebGPU, without dropout
 */
export function predictMemory(
  { model, training }: RunConfig,
  vocabSize: number,
  { fused }: { fused: boolean },
): number {
  const { dim, layers, heads, context } = model;
  const hidden = hiddenOf(model);
  const tokens = training.batchSize * context;
  const gated = model.feedForward === 'gated-silu' ? 2 : 1;
  const perToken = 12 * dim + (1 + gated) * hidden;
  const maps = fused ? 0 : 3 * training.batchSize * heads * context * context;
  const logits = 2 * tokens * Math.min(vocabSize, 1024);
  return (
    16 * countParameters(model, vocabSize) + 4 * (layers * (tokens * perToken + maps) + logits)
  );
}
