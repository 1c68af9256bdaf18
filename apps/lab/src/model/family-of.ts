import type { RunConfig } from './run-config.js';

/**
 * The family of Hugging Face's whose parts a configuration has; `headwise` where none has, whose
 * folders only this project loads.
 */
export function familyOf(model: RunConfig['model']): 'gpt2' | 'llama' | 'headwise' {
  const { position, norm, feedForward, block, score, heads, kvHeads = heads, window } = model;
  if (block !== 'pre-norm' || score !== 'scaled-dot-product' || window !== undefined) {
    return 'headwise';
  }
  const gated = feedForward === 'gated-silu';
  if (position === 'learned' && norm === 'layer' && !gated && kvHeads === heads) return 'gpt2';
  const isLlama = position === 'rotary' && norm === 'rms' && gated && model.dropout === 0;
  return isLlama ? 'llama' : 'headwise';
}
