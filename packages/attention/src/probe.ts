import { type AttentionProbe, InputError, type MapPart } from '@headwise/core';
import type { Mask } from '@headwise/kernels';
import * as tf from '@tensorflow/tfjs';

interface ProbeOptions {
  mask: Mask;
  scale: number;
  /** `[B]`, int32. */
  lengths?: tf.Tensor;
}

/** Added to the scores of hidden keys, as attention in plain operations does. */
const hidden = -1e30;

/**
 * What can be asked of an attention layer while it runs.
 *
 * The memory of an answer grows with the rows asked for, not with all: `B · heads · rows · Tk`.
 *
 * @param q `[B, H, Tq, Dh]`
 * @param k `[B, Hkv, Tk, Dh]`
 */
export function attentionProbe(
  q: tf.Tensor,
  k: tf.Tensor,
  { mask, scale, lengths }: ProbeOptions,
): AttentionProbe {
  const [batch, heads, queries] = q.shape as [number, number, number, number];
  const [, kvHeads, keys] = k.shape as [number, number, number, number];
  const masked = ({ heads: asked, rows }: MapPart = {}) => {
    checkIndices('head', asked, heads);
    checkIndices('row', rows, queries);
    const group = heads / kvHeads;
    const ofHeads = asked ?? Array.from({ length: heads }, (_, h) => h);
    const ofRows = rows ?? Array.from({ length: queries }, (_, i) => i);
    const chosen = pick(pick(q, asked, 1), rows, 2).mul(scale); // [B, h, r, Dh]
    const shared = asked || group > 1 ? ofHeads.map((h) => Math.floor(h / group)) : undefined;
    const raw = tf.matMul(chosen, pick(k, shared, 1), false, true); // [B, h, r, Tk]
    const visible = visibleTo(ofRows, { mask, lengths, behind: keys - queries, keys });
    return { visible, scores: visible ? raw.add(visible.sub(1).mul(-hidden)) : raw };
  };
  return {
    shape: [batch, heads, queries, keys],
    scores: (part) => tf.tidy(() => masked(part).scores),
    pattern: (part) =>
      tf.tidy(() => {
        const { scores, visible } = masked(part);
        const weights = tf.softmax(scores);
        // Where a query sees no key at all, softmax gives equal weights to what is hidden.
        return visible ? weights.mul(visible) : weights;
      }),
  };
}

interface Visibility {
  mask: Mask;
  lengths: tf.Tensor | undefined;
  /** How many keys come before those of the queries: `Tk − Tq`. */
  behind: number;
  keys: number;
}

/** Ones where a row sees a key, `[B or 1, 1, r, Tk]`; undefined where nothing is hidden. */
function visibleTo(rows: readonly number[], { mask, lengths, behind, keys }: Visibility) {
  const key = tf.range(0, keys).reshape([1, 1, 1, keys]);
  const last = tf.tensor(rows.map((row) => row + behind)).reshape([1, 1, -1, 1]);
  const inOrder = mask.kind === 'causal' ? key.lessEqual(last) : undefined;
  const inLength = lengths && key.less(lengths.toFloat().reshape([-1, 1, 1, 1]));
  const visible = inOrder && inLength ? inOrder.logicalAnd(inLength) : (inOrder ?? inLength);
  return visible?.toFloat();
}

function pick(x: tf.Tensor, indices: readonly number[] | undefined, axis: number): tf.Tensor {
  return indices ? tf.gather(x, tf.tensor1d([...indices], 'int32'), axis) : x;
}

function checkIndices(what: string, indices: readonly number[] | undefined, count: number): void {
  if (indices?.length === 0) throw new InputError(`attention map: no ${what} is asked for`);
  for (const index of indices ?? []) {
    if (Number.isInteger(index) && index >= 0 && index < count) continue;
    throw new InputError(
      `attention map: ${what} ${index} does not exist; expected 0 to ${count - 1}`,
    );
  }
}
