import { InputError } from '@headwise/core';
import { Heads, type Mask, masks, type RotaryTables } from '@headwise/kernels';
import {
  decodeAttentionOfHeads,
  type KeysValues,
  type LayerAttentionOptions,
  layerAttention,
  type QueriesKeysValues,
  type Ring,
  turnHeads,
} from '@headwise/kernels/internal';
import * as tf from '@tensorflow/tfjs';
import { isLevel, placesOf, type Tokens } from './tokens.js';

export interface CacheAttentionOptions extends LayerAttentionOptions {
  /** The tokens of each sequence that are not padding, which stands at the end; default `T`. */
  lengths?: readonly number[] | undefined;
  /** Rotates queries and keys. */
  turn?: RotaryTables | undefined;
}

/** Queries, keys and values of new tokens, `[B, H, T, Dh]` and `[B, Hkv, T, Dh]`, where they lie. */
export type NewTokens = QueriesKeysValues;

/** Rows attended to at once where a term makes numbers for each of their pairs. */
const termRows = 128;

/** Places of a window beyond its size: so many new tokens, and one, are written before any that they see is lost. */
const mostSpare = 63;

/** The places of a window, with some to spare: what is in them beyond its size is masked. */
export const ringOf = ({ sinks, size }: SlidingWindow): Ring => ({
  sinks,
  size: size + Math.min(size - 1, mostSpare),
});

/** The latest tokens that a cache keeps, besides the first ones. */
export interface SlidingWindow {
  readonly sinks: number;
  readonly size: number;
}

/**
 * The most new tokens of a layer that can be attended to at once.
 *
 * @param end the tokens of the longest sequence, new ones included
 */
export function longestPiece(
  end: number,
  sliding: SlidingWindow | undefined,
  { term }: LayerAttentionOptions,
): number {
  const rows = term ? termRows : Number.POSITIVE_INFINITY;
  const ring = sliding && ringOf(sliding);
  return ring && isFull(end, ring) ? Math.min(rows, ring.size - sliding.size + 1) : rows;
}

/** Queries and keys turned, for attention that does not turn them as it loads them. */
export function turnedTokens(tokens: NewTokens, turn: RotaryTables | undefined): NewTokens {
  return turn && tokens.q.size > 0 ? turnHeads(tokens, turn) : tokens;
}

/** Some of the new tokens. */
export function tokensFrom({ q, k, v }: NewTokens, from: number, count: number): NewTokens {
  const part = (x: Heads) => {
    const [batch, heads, , width] = x.shape;
    return Heads.of(x.headsFirst().slice([0, 0, from, 0], [batch, heads, count, width]));
  };
  return { q: part(q), k: part(k), v: part(v) };
}

/** Attention of a layer's first tokens to themselves. */
export function attendFirst(
  { q, k, v }: NewTokens,
  tokens: Tokens,
  sliding: SlidingWindow | undefined,
  options: LayerAttentionOptions,
): Heads {
  const mask = inWindow(options.mask, tokens, sliding);
  if (isLevel(tokens)) return layerAttention(q, k, v, { ...options, mask });
  const inLength = masks.padding(tf.tensor1d([...tokens.ends], 'int32'));
  return layerAttention(q, k, v, { ...options, mask: masks.and(mask, inLength) });
}

/** Attention of new tokens over a layer's rows, which hold them already. */
export function attendRows(
  q: Heads,
  { k, v }: KeysValues,
  tokens: Tokens,
  sliding: SlidingWindow | undefined,
  options: CacheAttentionOptions,
): Heads {
  const length = Math.max(...tokens.ends);
  const ring = sliding && ringOf(sliding);
  return decodeAttentionOfHeads(q, k, v, {
    ...options,
    mask: inWindow(options.mask, tokens, sliding),
    length,
    places: isLevel(tokens) ? undefined : placesOf(tokens),
    ring: isFull(length, ring) ? ring : undefined,
  });
}

/**
 * Throws where a term needs keys or weights in the order of their tokens, which they do not lie in.
 *
 * @throws InputError naming the layer
 */
export function checkTerm(
  what: string,
  { term }: LayerAttentionOptions,
  tokens: Tokens,
  sliding: SlidingWindow | undefined,
): void {
  const full = isFull(Math.max(...tokens.ends), sliding && ringOf(sliding));
  if (!(term?.values && (full || !isLevel(tokens))) && !(term?.replaces && full)) return;
  throw new InputError(
    `${what}: a score or a position that reads ${term.values ? 'weights' : 'keys'} by their tokens, over ${full ? 'a window that tokens have left' : 'sequences of different lengths'}; expected a cache of whole sequences, of one length`,
  );
}

const isFull = (end: number, ring: Ring | undefined): boolean =>
  ring !== undefined && end > ring.sinks + ring.size;

/** A mask that also hides the tokens that have left a window. */
function inWindow(
  mask: Mask = masks.none,
  { ends }: Tokens,
  sliding: SlidingWindow | undefined,
): Mask {
  if (!sliding || Math.max(...ends) <= sliding.sinks + sliding.size) return mask;
  const { sinks, size } = sliding;
  const latest = masks.slidingWindow(size);
  return masks.and(mask, sinks > 0 ? masks.or(masks.prefix(sinks), latest) : latest);
}
