import type { GgufMetadata } from '@headwise/gguf';
import type { RowOrder } from '../checkpoint/row-order.js';
import type { DecoderConfig } from '../families/shared/decoder-family.js';
import type { Rope } from '../families/shared/rope.js';
import { readRope } from '../families/shared/rope.js';
import type { KeyTable, ModelFamily } from '../family.js';
import { decoderNames, type GgufArchitecture } from './architecture.js';
import { refuseOthers } from './refuse.js';
import { ropeSettings } from './rope.js';

/** In what a family of rotary decoders differs in llama.cpp from the others. */
export interface DecoderGguf<Config extends DecoderConfig> {
  /** `general.architecture`. */
  name: string;
  /** What keys of `config.json` may hold; see {@link refuseOthers}. */
  allowed: Readonly<Record<string, readonly unknown[]>>;
  /** Whether the two channels that are rotated together are neighbours there; they are half a head apart here. */
  interleaved?: boolean | undefined;
  /** The key of the epsilon in `config.json`, of layer norms; default that of RMS norms. */
  layerNorm?: string | undefined;
  /** Its own settings. */
  settings?(config: Config, parts: { headDim: number; rope: Rope }): GgufMetadata;
  /** The rotary settings that `readRope` reads, where the family has them elsewhere. */
  rope?(config: Config): Rope;
  /** Its names, before those of most decoders. */
  names?: KeyTable | undefined;
  plusOne?: RegExp | undefined;
}

/**
 * A family of rotary decoders in llama.cpp.
 *
 * Where llama.cpp lets every query see all tokens, the longest sequence is a window where there is one: within it, both compute the same.
 *
 * @param windows whether llama.cpp has the family's windows
 */
export function decoderArchitecture<Config extends DecoderConfig>(
  family: ModelFamily<Config>,
  recipe: DecoderGguf<Config>,
  { windows = false }: { windows?: boolean | undefined } = {},
): (config: Config) => GgufArchitecture {
  return (config) => {
    refuseOthers(config, recipe.allowed);
    const { num_attention_heads: heads, hidden_size: dim } = config;
    const kvHeads = config.num_key_value_heads ?? heads;
    const headDim = config.head_dim ?? dim / heads;
    const rope =
      recipe.rope?.(config) ?? readRope(config, config.max_position_embeddings, 'config.json');
    const turned = Math.floor(headDim * rope.partial);
    const scaled = ropeSettings(rope, turned);
    const order = (count: number) => () => interleaved(count, headDim);
    const epsilon = config[recipe.layerNorm ?? 'rms_norm_eps'] as number;
    const norm = recipe.layerNorm ? 'layer_norm_epsilon' : 'layer_norm_rms_epsilon';
    const longest = windows ? Number.POSITIVE_INFINITY : windowOf(family, config);
    return {
      name: recipe.name,
      settings: {
        block_count: ['u32', config.num_hidden_layers],
        context_length: ['u32', Math.min(config.max_position_embeddings, longest)],
        embedding_length: ['u32', dim],
        feed_forward_length: ['u32', config.intermediate_size],
        'attention.head_count': ['u32', heads],
        'attention.head_count_kv': ['u32', kvHeads],
        [`attention.${norm}`]: ['f32', epsilon],
        ...scaled.settings,
        'attention.key_length': ['u32', headDim],
        'attention.value_length': ['u32', headDim],
        ...(recipe.interleaved
          ? {
              vocab_size: ['u32', config.vocab_size] as const,
              'rope.dimension_count': ['u32', headDim] as const,
            }
          : {}),
        ...(rope.partial < 1 ? { 'rope.dimension_count': ['u32', turned] as const } : {}),
        ...recipe.settings?.(config, { headDim, rope }),
      },
      names: [
        ...(recipe.names ?? []),
        ...(recipe.interleaved
          ? ([
              ['blocks.#.attn.qProj', 'blk.#.attn_q', order(heads)],
              ['blocks.#.attn.kProj', 'blk.#.attn_k', order(kvHeads)],
            ] as const)
          : []),
        ...decoderNames,
      ],
      buffers: scaled.buffers,
      plusOne: recipe.plusOne,
    };
  };
}

/** The tokens that the narrowest layer sees. */
function windowOf<Config extends DecoderConfig>(
  family: ModelFamily<Config>,
  config: Config,
): number {
  const { window } = family.preset({ ...config }).heads;
  const windows = [window ?? null].flat().filter((tokens) => typeof tokens === 'number');
  return Math.min(Number.POSITIVE_INFINITY, ...windows);
}

/**
 * The order of rows in which the two channels that are rotated together are neighbours; here they are half a head apart.
 *
 * @param heads of the projection @param headDim `Dh`
 * @returns `heads Dh` rows
 */
function interleaved(heads: number, headDim: number): RowOrder {
  const half = headDim / 2;
  return Array.from({ length: heads * headDim }, (_, i) => {
    const within = i % headDim;
    const [part, pair] = [Math.floor(within / half), within % half];
    return i - within + 2 * pair + part;
  });
}
