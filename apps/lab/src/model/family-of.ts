import type { RunConfig } from './run-config.js';

/** The family of Hugging Face's whose parts a configuration has. */
export function familyOf({ position, norm, feedForward }: RunConfig['model']): 'gpt2' | undefined {
  return position === 'learned' && norm === 'layer' && feedForward !== 'gated-silu'
    ? 'gpt2'
    : undefined;
}
