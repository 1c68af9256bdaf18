import * as tf from '@tensorflow/tfjs';
import { Heads } from '../attention/heads.js';

/** Heads as the cache's kernels read them: where they lie, but on wasm, where those know no strides, as `[B, H, T, Dh]`. */
export const strided = (x: Heads): Heads =>
  tf.getBackend() === 'wasm' ? Heads.of(x.headsFirst()) : x;
