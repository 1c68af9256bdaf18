import type { RunConfig } from './run-config.js';

/** The family of Hugging Face's whose parts a configuration has. */
export function familyOf(model: RunConfig['model']): 'gpt2' | undefined {
  const { position, norm, feedForward, heads, kvHeads = heads, window } = model;
  const parts = position === 'learned' && norm === 'layer' && feedForward !== 'gated-silu';
  return parts && kvHeads === heads && window === undefined ? 'gpt2' : undefined;
}
