import type * as tf from '@tensorflow/tfjs';
import type { RotaryLayout } from './tables.js';

/** A channel's pair, the other channel of it, and whether this one is its second. */
const places: Readonly<Record<RotaryLayout, string>> = {
  'half-split': /* wgsl */ `
    let second = channel >= params.pairs;
    let pair = select(channel, channel - params.pairs, second);
    let other = select(channel + params.pairs, pair, second);
  `,
  interleaved: /* wgsl */ `
    let second = channel % 2u == 1u;
    let pair = channel / 2u;
    let other = channel ^ 1u;
  `,
};

/**
 * `<x>_at(start, channel, angles)` in WGSL: a channel of the row of `x` that begins at `start`, turned by the row
 * of `cos` and `sin` that begins at `angles`, with `params.pairs` in a row; without a layout as it is.
 */
export function loadTurned(x: string, layout: RotaryLayout | undefined): string {
  if (layout === undefined) {
    return `fn ${x}_at(start: u32, channel: u32, angles: u32) -> f32 { return ${x}[start + channel]; }`;
  }
  return /* wgsl */ `
    fn ${x}_at(start: u32, channel: u32, angles: u32) -> f32 {
      let own = ${x}[start + channel];
      if (channel >= 2u * params.pairs) { return own; }
      ${places[layout]}
      let s = sin[angles + pair];
      return own * cos[angles + pair] + ${x}[start + other] * select(-s, s, second);
    }
  `;
}

/**
 * The params of tables as kernels are given them: pairs in a row, and rows from a sequence's to the next one's.
 *
 * @param cos `[T, R/2]`, which all sequences share, or `[B, T, R/2]`
 */
export function tableParams(
  cos: tf.TensorInfo | undefined,
  tokens: number,
): { pairs: number; tableStride: number } {
  return { pairs: cos?.shape.at(-1) ?? 0, tableStride: cos?.shape.length === 3 ? tokens : 0 };
}
