import { InputError } from '@headwise/core';
import type { GgufMetadata } from '@headwise/gguf';
import type { RotaryScaling } from '@headwise/positions';
import { rotaryFrequencies } from '@headwise/positions';
import type { Rope } from '../families/shared/rope.js';

type LongRope = Extract<RotaryScaling, { rope_type: 'longrope' }>;

/** What llama.cpp is told of rotary positions: settings, and divisors of the frequencies for `llama3` and `longrope`. */
export interface GgufRope {
  settings: GgufMetadata;
  buffers?: Readonly<Record<string, Float32Array>> | undefined;
}

/**
 * Rotary positions in the terms of llama.cpp.
 *
 * @throws InputError for a rule that it does not have
 */
export function ropeSettings({ position, maxLength }: Rope, headDim: number): GgufRope {
  const { base = 10_000, scaling } = position;
  const settings: GgufMetadata = { 'rope.freq_base': ['f32', base] };
  switch (scaling?.rope_type ?? 'default') {
    case 'default':
      return { settings };
    case 'linear':
      return { settings: { ...settings, ...scaledBy('linear', scaling) } };
    case 'yarn':
      return { settings: { ...settings, ...yarn(scaling as never, maxLength) } };
    case 'llama3': {
      const rotation = { rotaryDim: headDim, base, maxLength };
      const plain = rotaryFrequencies(rotation).frequencies;
      const { frequencies } = rotaryFrequencies(rotation, scaling);
      const divisors = Float32Array.from(plain, (frequency, i) => frequency / frequencies[i]!);
      return { settings, buffers: { 'rope_freqs.weight': divisors } };
    }
    case 'longrope': {
      const { short_factor, long_factor, factor, ...rest } = scaling as LongRope;
      const original = rest.original_max_position_embeddings ?? position.trainedLength!;
      const usual = factor > 1 ? Math.sqrt(1 + Math.log(factor) / Math.log(original)) : 1;
      return {
        settings: {
          ...settings,
          'rope.scaling.type': ['string', 'longrope'],
          'rope.scaling.attn_factor': ['f32', rest.attention_factor ?? usual],
        },
        buffers: {
          'rope_factors_long.weight': Float32Array.from(long_factor),
          'rope_factors_short.weight': Float32Array.from(short_factor),
        },
      };
    }
    default:
      throw new InputError(
        `config.json: 'rope_type' is '${scaling?.rope_type}'; llama.cpp has default, linear, yarn, llama3 and longrope`,
      );
  }
}

const scaledBy = (type: string, scaling: unknown): GgufMetadata => ({
  'rope.scaling.type': ['string', type],
  'rope.scaling.factor': ['f32', (scaling as { factor: number }).factor],
});

function yarn(scaling: Readonly<Record<string, unknown>>, maxLength: number): GgufMetadata {
  for (const key of ['attention_factor', 'mscale', 'mscale_all_dim']) {
    if (scaling[key] == null) continue;
    throw new InputError(
      `config.json: 'rope_parameters.${key}' is ${scaling[key]}; llama.cpp computes this factor from 'factor' alone`,
    );
  }
  const original = scaling.original_max_position_embeddings ?? maxLength / Number(scaling.factor);
  const { beta_fast: fast, beta_slow: slow } = scaling;
  return {
    ...scaledBy('yarn', scaling),
    'rope.scaling.original_context_length': ['u32', original as number],
    ...(fast == null ? {} : { 'rope.scaling.yarn_beta_fast': ['f32', fast as number] as const }),
    ...(slow == null ? {} : { 'rope.scaling.yarn_beta_slow': ['f32', slow as number] as const }),
  };
}
