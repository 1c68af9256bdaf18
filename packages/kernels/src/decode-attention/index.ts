import { checkShape, InputError } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import { checkScoring } from '../attention/check-scoring.js';
import { checkTables } from '../attention/check-tables.js';
import { Heads } from '../attention/heads.js';
import { attentionOfHeads } from '../attention/index.js';
import { checkMask, type Mask } from '../attention/masks/mask.js';
import { causal } from '../attention/masks/order.js';
import type { ScoreMod } from '../attention/mods.js';
import { pairFunctions } from '../attention/score/functions.js';
import { checkType } from '../dispatch/check.js';
import { hasKernel, registerWebGPUKernel, runKernel } from '../dispatch/register.js';
import { checkTables as checkRotaryTables, turnedHeads } from '../rotary/index.js';
import type { RotaryTables } from '../rotary/tables.js';
import type { LayerAttentionOptions } from '../row-attention/layer.js';
import { attentionProbe } from '../row-attention/probe.js';
import { modsOf, type Rows, type RowTerm } from '../row-attention/term.js';
import { unpackHalves, wordsOf } from './halves.js';
import { atTokens, decodeAttentionReference, usedPart } from './reference.js';
import type { Ring } from './ring.js';
import { widestHead } from './split.js';
import { strided } from './strided.js';
import { decodeAttentionKernel, mostQueries } from './webgpu.js';

export interface DecodeAttentionOptions extends LayerAttentionOptions {
  /** The tokens of the longest sequence, those of the queries included. */
  length: number;
  /**
   * int32, `[B, 2]`, where sequences differ: the tokens of each, `0 … length`, and how many of them are
   * queries; queries beyond those are padding, whose results mean nothing.
   */
  places?: tf.Tensor | undefined;
  /** The window of a cache that keeps the latest tokens only, `C = sinks + size`; default: a token lies at its position. */
  ring?: Ring | undefined;
  /** At the positions of tokens in their sequence; default `causal`. */
  mask?: Mask | undefined;
  /** Without `values` where `places` or `ring` are given, and without `replaces` where `ring` is. */
  term?: RowTerm | undefined;
  /** What queries are turned by as they are loaded, of keys that are turned already. */
  turn?: RotaryTables | undefined;
}

/**
 * Attention of new tokens over a cache of keys and values, which is read where it lies:
 * `softmax(mods(Q Kᵀ · scale) + M) V`.
 *
 * Fused on WebGPU: up to eight queries split the keys among workgroups and join their parts in a second pass; more go to
 * the tiles of `attention`, over the whole room, masked behind the last token. On wasm up to eight queries read the cache where it
 * lies, and more a copy of its used part. Where weights are shown, dropped out or
 * read by a term, the used part is copied, for plain operations. It has no gradient.
 *
 * @param q `[B, H, Tq, Dh]`, the last `Tq` of `length` tokens
 * @param k `[B, Hkv, C, Dh]`, a cache with room for `C` tokens, where Hkv divides H; or int32,
 * `[B, Hkv, C, ⌈Dh / 2⌉]`, which holds halves, two in a word, on WebGPU and wasm
 * @param v as k
 * @returns `[B, H, Tq, Dh]`
 * @throws ShapeError where shapes do not fit; InputError for a length that is not `Tq … C`, for what is not a mask or a score
 * mod, and for a mask made for other sizes
 * @see Dao et al. 2023, https://crfm.stanford.edu/2023/10/12/flashdecoding.html
 */
export function decodeAttention(
  q: tf.Tensor,
  k: tf.Tensor,
  v: tf.Tensor,
  options: DecodeAttentionOptions,
): tf.Tensor {
  return tf.tidy(() => decodeAttentionOfHeads(Heads.of(q), k, v, options).headsFirst());
}

/**
 * `decodeAttention` of queries where they lie. Call it in a `tf.tidy`.
 *
 * @returns `[B, H, Tq, Dh]`, in the order of q's axes where it is fused
 */
export function decodeAttentionOfHeads(
  q: Heads,
  k: tf.Tensor,
  v: tf.Tensor,
  options: DecodeAttentionOptions,
): Heads {
  check(q, k, v, options);
  const { length, turn, mask = causal, mods = [] } = options;
  const [batch, heads, queries, width] = q.shape;
  checkMask(mask, { B: batch, H: heads, Tq: queries, Tk: length });
  checkTables('decodeAttention', { mask, mods }, { batch, heads });
  const scale = options.scale ?? 1 / Math.sqrt(Math.max(1, width));
  const { term, onProbe } = options;
  // Decoding turns queries itself; whatever else looks at them needs them turned.
  const first = term || onProbe ? Heads.of(turned(q, turn).headsFirst()) : q;
  const rows = rowsOf(first, k, length);
  const given: Given = {
    ...options,
    ...(first === q ? {} : { turn: undefined }),
    mask,
    mods: [...modsOf(term, rows), ...mods],
    scale,
    rows,
  };
  onProbe?.(probeOf(given, k));
  return attendRows(first, k, v, given);
}

/** Options of one call with defaults filled in, and the term's mods among the others. */
interface Given extends DecodeAttentionOptions {
  mask: Mask;
  mods: readonly ScoreMod[];
  scale: number;
  rows: Rows;
}

function attendRows(q: Heads, k: tf.Tensor, v: tf.Tensor, given: Given): Heads {
  const { length, places, ring, turn, mask, mods, scale, sinks, term, rows } = given;
  const [, , queries, width] = q.shape;
  const { dropout } = given;
  const { onScores, onPattern } = given.shown?.() ?? {};
  const plain = onScores || onPattern || dropout || term?.values;
  if (plain || !hasKernel('headwise/DecodeAttention') || q.size === 0 || width > widestHead) {
    const attended = decodeAttentionReference(
      turned(q, turn).headsFirst(),
      used(k, width, length),
      used(v, width, length),
      {
        ...{ length, places, ring, mask, mods, scale, sinks, dropout },
        ...(onScores ? { onScores } : {}),
        ...(onPattern ? { onPattern } : {}),
        values: term?.values && ((pattern) => term.values!(pattern, rows, term.inputs)),
      },
    );
    return Heads.of(attended);
  }
  if (queries > mostQueries) {
    // Enough rows for the tiles of a whole pass.
    // On wasm keys that may all be seen are skipped faster than those behind the last token are masked.
    const copied = k.dtype === 'int32' || tf.getBackend() === 'wasm';
    const [keys, values] = copied ? [used(k, width, length), used(v, width, length)] : [k, v];
    const whole = !places && !ring && keys.shape[2] === length;
    const scoring = { mask, mods };
    const moved = whole ? scoring : atTokens(scoring, { length, queries, places, ring });
    const options = { ...moved, scale, sinks };
    return attentionOfHeads(turned(q, turn), Heads.of(keys), Heads.of(values), options);
  }
  const pairs = pairFunctions({ mask, mods, scale });
  const tables = pairs.graph.tables.map(({ tensor }, n) => [`table${n}`, tensor]);
  const ofQ = strided(q);
  const inputs = {
    ...{ q: ofQ.tensor, k, v },
    ...(places ? { places } : {}),
    ...(sinks ? { sinks } : {}),
    ...(turn ? { cos: turn.cos, sin: turn.sin } : {}),
    ...Object.fromEntries(tables),
  };
  const attributes = { length, ring, pairs, layout: turn?.layout, heads: ofQ.place };
  const y = runKernel('headwise/DecodeAttention', inputs, attributes)[0]!;
  return ofQ.place.order === 'heads-first' ? Heads.of(y) : Heads.ofTokens(y);
}

const turned = (q: Heads, turn: RotaryTables | undefined): Heads =>
  turn && q.size > 0 ? turnedHeads(q, turn) : q;

/** The rows of a cache that hold tokens, as float32. */
const used = (x: tf.Tensor, width: number, length: number): tf.Tensor =>
  x.dtype === 'int32' ? unpackHalves(x, width, Math.min(length, x.shape[2]!)) : usedPart(x, length);

/** Queries with their keys, which are copied when they are first read. */
function rowsOf(q: Heads, k: tf.Tensor, length: number): Rows {
  const [, , queries, width] = q.shape;
  return {
    get q() {
      return q.headsFirst();
    },
    keys: length,
    place: length - queries,
    get k() {
      return used(k, width, length);
    },
  };
}

function probeOf({ length, places, ring, mods, mask, scale, sinks, rows }: Given, k: tf.Tensor) {
  const queries = rows.q.shape[2]!;
  const scoring = { mask, mods };
  const moved = places || ring ? atTokens(scoring, { length, queries, places, ring }) : scoring;
  return attentionProbe(rows, Math.min(length, k.shape[2]!), { ...moved, scale, sinks }, undefined);
}

function check(
  q: Heads,
  k: tf.Tensor,
  v: tf.Tensor,
  { length, places, ring, sinks, turn, mask, mods }: DecodeAttentionOptions,
): void {
  checkScoring('decodeAttention', { mask, mods });
  checkShape('decodeAttention: q', q.shape, ['B', 'H', 'Tq', 'Dh']);
  const [batch, heads, queries, width] = q.shape;
  const halves = k.dtype === 'int32';
  checkShape('decodeAttention: k', k.shape, [batch, 'Hkv', 'C', halves ? wordsOf(width) : width]);
  checkShape('decodeAttention: v', v.shape, k.shape);
  const [, kvHeads, capacity] = k.shape as [number, number, number];
  if (!(kvHeads > 0 && heads % kvHeads === 0)) {
    throw new InputError(
      `decodeAttention: q has ${heads} heads and k has ${kvHeads}; expected a multiple of k's`,
    );
  }
  const most = ring ? Number.MAX_SAFE_INTEGER : capacity;
  if (!(Number.isInteger(length) && length >= queries && length <= most)) {
    throw new InputError(
      `decodeAttention: length is ${length}; expected ${queries} (queries) to ${most} (room in the cache)`,
    );
  }
  if (ring && ring.sinks + ring.size !== capacity) {
    throw new InputError(
      `decodeAttention: a window of ${ring.size} with ${ring.sinks} sinks in a cache for ${capacity}; expected their sum`,
    );
  }
  checkType('decodeAttention: q', q.tensor, 'float32');
  if (!halves) checkType('decodeAttention: k', k, 'float32');
  checkType('decodeAttention: v', v, k.dtype);
  if (places) {
    checkShape('decodeAttention: places', places.shape, [batch, 2]);
    checkType('decodeAttention: places', places, 'int32');
  }
  if (sinks) {
    checkShape('decodeAttention: sinks', sinks.shape, [heads]);
    checkType('decodeAttention: sinks', sinks, 'float32');
  }
  if (turn && q.size > 0) checkRotaryTables('decodeAttention', turn, q.shape);
}

/** Makes `decodeAttention` use its WebGPU kernels. */
export function registerDecodeAttention(): void {
  registerWebGPUKernel('headwise/DecodeAttention', decodeAttentionKernel);
}
