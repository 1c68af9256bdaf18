import { InputError } from '@headwise/core';

/** A rule that stretches rotary positions, as `rope_scaling` in Hugging Face's config.json spells it. */
export type RotaryScaling =
  | { readonly rope_type: 'default' }
  | LinearScaling
  | DynamicScaling
  | YarnScaling
  | LongRopeScaling
  | Llama3Scaling;

/**
 * Position interpolation: every frequency is divided by `factor`.
 *
 * @see Chen et al. 2023, https://arxiv.org/abs/2306.15595
 */
export interface LinearScaling {
  readonly rope_type: 'linear';
  readonly factor: number;
}

/**
 * Dynamic NTK: beyond the trained length `M`, `base · (factor · T / M − (factor − 1))^(R/(R−2))`.
 *
 * @see Peng et al. 2023, https://arxiv.org/abs/2309.00071, appendix B.2
 */
export interface DynamicScaling {
  readonly rope_type: 'dynamic';
  readonly factor: number;
}

/**
 * YaRN: slow frequencies are divided by `factor`, fast ones kept, those between blended; cosines and
 * sines are multiplied by an attention factor, default `0.1 ln factor + 1`.
 *
 * @see Peng et al. 2023, https://arxiv.org/abs/2309.00071
 */
export interface YarnScaling {
  readonly rope_type: 'yarn';
  readonly factor: number;
  /** Default the position's `maxLength`. */
  readonly original_max_position_embeddings?: number | undefined;
  readonly attention_factor?: number | null | undefined;
  /** Turns over the trained length above which a frequency is kept; default 32. */
  readonly beta_fast?: number | null | undefined;
  /** Turns below which it is divided; default 1. */
  readonly beta_slow?: number | null | undefined;
  readonly mscale?: number | null | undefined;
  readonly mscale_all_dim?: number | null | undefined;
  /** Whether the blend begins and ends at whole channels; default true. */
  readonly truncate?: boolean | undefined;
}

/**
 * LongRoPE: every frequency is divided by a factor of its own, another one beyond the trained length `M`; cosines and
 * sines are multiplied by an attention factor, default `√(1 + ln factor / ln M)`.
 *
 * @see Ding et al. 2024, https://arxiv.org/abs/2402.13753
 */
export interface LongRopeScaling {
  readonly rope_type: 'longrope';
  /** How many times the trained length the longest sequence is. */
  readonly factor: number;
  /** `[R / 2]`, up to the trained length. */
  readonly short_factor: readonly number[];
  /** `[R / 2]`, beyond it. */
  readonly long_factor: readonly number[];
  /** `M`; default the position's `maxLength`. */
  readonly original_max_position_embeddings?: number | undefined;
  readonly attention_factor?: number | null | undefined;
}

/** Llama 3.1: wavelengths beyond the trained length are divided by `factor`, short ones kept, those between blended. */
export interface Llama3Scaling {
  readonly rope_type: 'llama3';
  readonly factor: number;
  readonly low_freq_factor: number;
  readonly high_freq_factor: number;
  /** Default the position's `maxLength`. */
  readonly original_max_position_embeddings?: number | undefined;
}

/** The inputs of the scaling rules. */
export interface Rotation {
  /** `R`, the number of channels that turn. */
  rotaryDim: number;
  base: number;
  /** `M`, the trained length; needed by dynamic scaling, and the default of others' original length. */
  maxLength?: number | undefined;
}

/** The angle of a pair at a position is `position · frequencies[pair]`. */
export interface Frequencies {
  /** `[R / 2]`, radians a position. */
  frequencies: Float64Array;
  /** What cosines and sines are multiplied by. */
  attentionFactor: number;
}

/**
 * The frequencies of rotary positions, `base^(−2i/R)`, after a scaling rule.
 *
 * @param length the number of tokens, the cached ones included; only `dynamic` and `longrope` depend on it
 * @throws InputError for an unknown rule, or where a rule lacks the trained length
 */
export function rotaryFrequencies(
  rotation: Rotation,
  scaling: RotaryScaling = { rope_type: 'default' },
  length = 0,
): Frequencies {
  const { rotaryDim: dim, base } = rotation;
  switch (scaling.rope_type) {
    case 'default':
      return { frequencies: powers(dim, base), attentionFactor: 1 };
    case 'linear': {
      const frequencies = powers(dim, base).map((f) => f / scaling.factor);
      return { frequencies, attentionFactor: 1 };
    }
    case 'dynamic': {
      const trained = trainedLength(rotation, scaling.rope_type);
      const { factor } = scaling;
      const stretch = (factor * Math.max(length, trained)) / trained - (factor - 1);
      return { frequencies: powers(dim, base * stretch ** (dim / (dim - 2))), attentionFactor: 1 };
    }
    case 'yarn':
      return yarn(rotation, scaling);
    case 'longrope':
      return longrope(rotation, scaling, length);
    case 'llama3':
      return { frequencies: llama3(rotation, scaling), attentionFactor: 1 };
    default:
      throw new InputError(
        `rotary: scaling has rope_type '${(scaling as { rope_type: unknown }).rope_type}'; expected default, linear, dynamic, yarn, longrope or llama3`,
      );
  }
}

const powers = (dim: number, base: number): Float64Array =>
  Float64Array.from({ length: dim / 2 }, (_, i) => base ** ((-2 * i) / dim));

function trainedLength({ maxLength }: Rotation, rule: string): number {
  if (maxLength !== undefined) return maxLength;
  throw new InputError(`rotary: ${rule} scaling needs the trained length, maxLength; got none`);
}

function yarn(rotation: Rotation, scaling: YarnScaling): Frequencies {
  const { rotaryDim: dim, base } = rotation;
  const { factor, mscale, mscale_all_dim: mscaleAll, truncate = true } = scaling;
  const trained = scaling.original_max_position_embeddings ?? trainedLength(rotation, 'yarn');
  const channelOf = (turns: number) =>
    (dim * Math.log(trained / (turns * 2 * Math.PI))) / (2 * Math.log(base));
  // Zero, as Hugging Face reads it, is the default too.
  const fast = channelOf(scaling.beta_fast || 32);
  const slow = channelOf(scaling.beta_slow || 1);
  const low = Math.max(truncate ? Math.floor(fast) : fast, 0);
  const end = Math.min(truncate ? Math.ceil(slow) : slow, dim - 1);
  const high = end === low ? end + 0.001 : end;
  const frequencies = powers(dim, base).map((f, i) => {
    const divided = Math.min(1, Math.max(0, (i - low) / (high - low)));
    return (f / factor) * divided + f * (1 - divided);
  });
  const grown = (by: number) => (factor <= 1 ? 1 : 0.1 * by * Math.log(factor) + 1);
  const suggested = mscale && mscaleAll ? grown(mscale) / grown(mscaleAll) : grown(1);
  return { frequencies, attentionFactor: scaling.attention_factor ?? suggested };
}

function longrope(rotation: Rotation, scaling: LongRopeScaling, length: number): Frequencies {
  const { factor, attention_factor } = scaling;
  const trained = scaling.original_max_position_embeddings ?? trainedLength(rotation, 'longrope');
  const key = length > trained ? 'long_factor' : 'short_factor';
  const frequencies = powers(rotation.rotaryDim, rotation.base);
  if (scaling[key].length !== frequencies.length) {
    throw new InputError(
      `rotary: ${key} has ${scaling[key].length} entries; expected ${frequencies.length}, one for each pair of channels`,
    );
  }
  const suggested = factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(trained));
  return {
    frequencies: frequencies.map((f, i) => f / scaling[key][i]!),
    attentionFactor: attention_factor ?? suggested,
  };
}

/** The length that frequencies are computed for: the same for all up to the trained one, where a rule depends on it. */
export function lengthOfFrequencies(
  scaling: RotaryScaling | undefined,
  length: number,
  maxLength = 0,
): number {
  switch (scaling?.rope_type) {
    case 'dynamic':
      return Math.max(length, maxLength);
    case 'longrope': {
      const trained = steadyLength(scaling, maxLength);
      return length > trained ? trained + 1 : 0;
    }
    default:
      return 0;
  }
}

/** The number of tokens up to which frequencies are those of every shorter sequence; infinite where none depends on the length. */
export function steadyLength(scaling: RotaryScaling | undefined, maxLength = 0): number {
  switch (scaling?.rope_type) {
    case 'dynamic':
      return maxLength;
    case 'longrope':
      return scaling.original_max_position_embeddings ?? maxLength;
    default:
      return Number.POSITIVE_INFINITY;
  }
}

function llama3(rotation: Rotation, scaling: Llama3Scaling): Float64Array {
  const { factor, low_freq_factor: low, high_freq_factor: high } = scaling;
  const trained = scaling.original_max_position_embeddings ?? trainedLength(rotation, 'llama3');
  return powers(rotation.rotaryDim, rotation.base).map((f) => {
    const turns = (trained * f) / (2 * Math.PI);
    if (turns > high) return f;
    if (turns < low) return f / factor;
    const kept = (turns - low) / (high - low);
    return ((1 - kept) * f) / factor + kept * f;
  });
}
