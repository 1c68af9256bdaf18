import type { GgufSettings } from './settings.js';

/** A rule of rotary positions, as `rope_parameters` of `config.json` has it. */
export type RopeRule = Record<string, unknown>;

/**
 * The rotary positions of a file: `rope.freq_base`, `rope.scaling.*`, and tensors of divisors of the frequencies, which become a rule
 * `longrope`.
 *
 * @throws InputError for a kind of scaling that is not built
 */
export function ropeRule(settings: GgufSettings): RopeRule {
  const base = { rope_theta: settings.optionalNumber('rope.freq_base') ?? 10_000 };
  const divisors = settings.factors('rope_freqs.weight');
  const long = settings.factors('rope_factors_long.weight');
  const trained = settings.optionalNumber('rope.scaling.original_context_length');
  const original = trained === undefined ? {} : { original_max_position_embeddings: trained };
  if (long) {
    const attention = settings.optionalNumber('rope.scaling.attn_factor');
    return {
      ...base,
      rope_type: 'longrope',
      long_factor: long,
      short_factor: settings.factors('rope_factors_short.weight') ?? long,
      ...original,
      ...(attention === undefined ? {} : { attention_factor: attention }),
    };
  }
  if (divisors) {
    // Llama 3 scales each frequency by a number that files hold, at every length.
    const factors = { long_factor: divisors, short_factor: divisors, factor: 1 };
    const length = settings.number('context_length');
    const fixed = { attention_factor: 1, original_max_position_embeddings: length };
    return { ...base, rope_type: 'longrope', ...factors, ...fixed };
  }
  const kind = settings.value('rope.scaling.type') ?? 'none';
  if (kind === 'none') return { ...base, rope_type: 'default' };
  if (kind === 'longrope') throw settings.error('rope.scaling.type', "tensors 'rope_factors_…'");
  if (kind !== 'linear' && kind !== 'yarn') {
    throw settings.error('rope.scaling.type', 'none, linear, yarn or longrope');
  }
  const factor = settings.number('rope.scaling.factor');
  if (kind === 'linear') return { ...base, rope_type: kind, factor };
  const fast = settings.optionalNumber('rope.scaling.yarn_beta_fast');
  const slow = settings.optionalNumber('rope.scaling.yarn_beta_slow');
  return {
    ...base,
    rope_type: kind,
    factor,
    ...original,
    ...(fast === undefined ? {} : { beta_fast: fast }),
    ...(slow === undefined ? {} : { beta_slow: slow }),
  };
}
