import { InputError } from '@headwise/core';
import type { MapPart } from '@headwise/core/internal';
import * as tf from '@tensorflow/tfjs';
import { checkScoring } from './check-scoring.js';
import { checkTables } from './check-tables.js';
import { evaluate, placesOf, type Values } from './expression/evaluate.js';
import { none } from './masks/mask.js';
import { modified } from './mods.js';
import { type ReferenceOptions, softmaxWithSinks, withoutHidden } from './reference.js';

export type MapOptions = Partial<Pick<ReferenceOptions, 'mask' | 'mods' | 'scale' | 'sinks'>>;

/**
 * Some rows of the scores and of the weights of attention, in plain operations.
 *
 * The memory grows with the rows that are asked for, not with all: `B · heads · rows · Tk`.
 *
 * @param q `[B, H, Tq, Dh]`
 * @param k `[B, Hkv, Tk, Dh]`, where Hkv divides H
 * @returns both `[B, heads, rows, Tk]`; a row that sees no key has weights of zero
 * @throws InputError for a head or a row that does not exist, or what is not a mask or a score mod
 */
export function attentionMap(
  q: tf.Tensor,
  k: tf.Tensor,
  part: MapPart = {},
  { mask = none, mods = [], scale, sinks }: MapOptions = {},
): { scores: tf.Tensor; weights: tf.Tensor } {
  const [batch, heads, queries, width] = q.shape as [number, number, number, number];
  const [, kvHeads, keys] = k.shape as [number, number, number, number];
  checkScoring('attentionMap', { mask, mods });
  checkTables('attentionMap', { mask, mods }, { batch, heads });
  const ofHeads = checkedIndices('head', part.heads, heads);
  const ofRows = checkedIndices('row', part.rows, queries);
  return tf.tidy(() => {
    const places: Values = placesOf({ batch, heads, queries, keys });
    const asked: Values = {
      ...places,
      h: pick(places.h!, ofHeads, 1),
      q: pick(places.q!, ofRows, 2),
    };
    const shared = ofHeads.map((head) => Math.floor((head * kvHeads) / heads));
    const chosen = pick(pick(q, ofHeads, 1), ofRows, 2).mul(scale ?? 1 / Math.sqrt(width));
    const product = tf.matMul(chosen, pick(k, shared, 1), false, true); // [B, h, r, Tk]
    const changed = modified(mods, mask);
    const raw = changed
      ? tf.broadcastTo(evaluate(changed.node, { ...asked, score: product }), product.shape)
      : product;
    const visible = mask.condition && evaluate(mask.condition.node, asked);
    const scores = visible ? withoutHidden(raw, visible, raw === product) : raw;
    const weights = sinks ? softmaxWithSinks(scores, pick(sinks, ofHeads, 0)) : tf.softmax(scores);
    return { scores, weights: visible ? weights.mul(visible.toFloat()) : weights };
  });
}

const pick = (x: tf.Tensor, indices: readonly number[], axis: number): tf.Tensor =>
  tf.gather(x, tf.tensor1d([...indices], 'int32'), axis);

/** All indices where none are given. */
function checkedIndices(
  what: string,
  indices: readonly number[] | undefined,
  count: number,
): readonly number[] {
  if (!indices) return Array.from({ length: count }, (_, i) => i);
  if (indices.length === 0) throw new InputError(`attention map: no ${what} is asked for`);
  for (const index of indices) {
    if (Number.isInteger(index) && index >= 0 && index < count) continue;
    throw new InputError(
      `attention map: ${what} ${index} does not exist; expected 0 to ${count - 1}`,
    );
  }
  return indices;
}
