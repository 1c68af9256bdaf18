import { BackendError, checkShape, InputError } from '@headwise/core';
import { checkWhenRead } from '@headwise/core/internal';
import * as tf from '@tensorflow/tfjs';
import { checkNotEmpty, checkType } from '../dispatch/check.js';
import { hasKernel, registerWebGPUKernel, runKernel } from '../dispatch/register.js';
import { checkIds } from '../ids/index.js';
import { vocabularyOf } from '../ids/space.js';
import { checkedSampling, penalises, type SamplingOptions } from './options.js';
import { candidatesOfRow, drawCandidate } from './reference.js';
import { checkDrawn } from './scores.js';
import { markKernel, sampleKernel } from './webgpu.js';

/** Tokens whose scores are penalised or banned; −1 is ignored. */
export interface SamplingTokens {
  /** `[B, T]`, int32: the ids that penalties are for. */
  history?: tf.Tensor2D | undefined;
  /** `[B, N]`, int32: the ids that are not drawn: their scores become −∞. */
  banned?: tf.Tensor2D | undefined;
}

/**
 * Draws the next token of each row of scores; on WebGPU in one dispatch, and one more each for penalties and
 * banned tokens, so that only the ids need to be read.
 *
 * The same seed draws the same ids, on every backend but for rounding.
 *
 * @param logits `[B, V]`; −∞ for what cannot be drawn
 * @param seed a whole number from 0 to 2⁵³ − 1; a new one for each position
 * @param tokens that penalties are for, each id in [0, V) or −1, and that are banned
 * @returns ids `[B]`, int32
 * @throws InputError for options out of range, and naming row and token for a score that is NaN or +∞, or where
 * all of a row are −∞; on WebGPU, where only the device has the scores, `readTensor` of the ids throws it.
 * ShapeError where the rows differ. BackendError on WebGPU without our kernels
 */
export function sampleTokens(
  logits: tf.Tensor2D,
  options: SamplingOptions,
  seed: number,
  tokens: SamplingTokens = {},
): tf.Tensor1D {
  checkShape('sampleTokens: logits', logits.shape, ['B', 'V']);
  checkNotEmpty('sampleTokens: logits', logits);
  checkType('sampleTokens: logits', logits, 'float32');
  for (const name of ['history', 'banned'] as const) {
    const ids = tokens[name];
    if (!ids) continue;
    checkShape(`sampleTokens: ${name}`, ids.shape, [logits.shape[0], 'T']);
    checkType(`sampleTokens: ${name}`, ids, 'int32');
  }
  if (tokens.history) {
    checkIds(tokens.history, vocabularyOf(logits.shape[1], 'sampleTokens: history: id', -1));
  }
  if (!(Number.isSafeInteger(seed) && seed >= 0)) {
    throw new InputError(`sampleTokens: seed is ${seed}; expected a whole number of at least 0`);
  }
  const checked = checkedSampling(options);
  const history = penalises(checked) ? filled(tokens.history) : undefined;
  const banned = filled(tokens.banned);
  return tf.tidy(() => {
    if (!hasKernel('headwise/Sample')) {
      if (tf.getBackend() === 'webgpu') {
        // Its values cannot be read at once in Node.
        throw new BackendError(
          "sampleTokens: WebGPU runs without Headwise's kernels; expected start() of @headwise/kernels before",
        );
      }
      return sampleInJavaScript(logits, checked, seed, { history, banned });
    }
    const vocabulary = logits.shape[1];
    const marks = history || banned ? markTokens({ history, banned }, vocabulary) : undefined;
    const inputs = marks ? { logits, marks } : { logits };
    const ids = runKernel('headwise/Sample', inputs, { ...checked, seed })[0] as tf.Tensor1D;
    checkWhenRead(ids, (values) => checkDrawn('sampleTokens', values, vocabulary));
    return ids;
  });
}

/**
 * How often each token occurred, and which are banned: what `sampleStep` reads and counts on, on WebGPU.
 *
 * @param tokens at least one list, each id in [0, V) or −1
 * @returns bits, int32 `[B, V]`
 */
export function markTokens({ history, banned }: SamplingTokens, vocabulary: number): tf.Tensor {
  registerSampling();
  const listed = { ...(history ? { history } : {}), ...(banned ? { banned } : {}) };
  return runKernel('headwise/MarkTokens', listed, { vocabulary })[0]!;
}

function filled(ids: tf.Tensor2D | undefined): tf.Tensor2D | undefined {
  return ids && ids.size > 0 ? ids : undefined;
}

/** The path of other backends, whose values can be read at once. */
function sampleInJavaScript(
  logits: tf.Tensor2D,
  options: Required<SamplingOptions>,
  seed: number,
  { history, banned }: SamplingTokens,
): tf.Tensor1D {
  const [rows, vocabulary] = logits.shape;
  const scores = logits.dataSync();
  const rowOf = (ids: tf.Tensor2D | undefined, row: number) => {
    const length = ids?.shape[1] ?? 0;
    return ids?.dataSync().slice(row * length, (row + 1) * length) ?? [];
  };
  const ids = Int32Array.from({ length: rows }, (_, row) => {
    const own = scores.slice(row * vocabulary, (row + 1) * vocabulary);
    const [before, without] = [rowOf(history, row), rowOf(banned, row)];
    return drawCandidate(
      candidatesOfRow('sampleTokens', row, own, options, before, without),
      seed,
      row,
    );
  });
  return tf.tensor1d(ids, 'int32');
}

/** Makes `sampleTokens` use its WebGPU kernels. */
export function registerSampling(): void {
  registerWebGPUKernel('headwise/MarkTokens', markKernel);
  registerWebGPUKernel('headwise/Sample', sampleKernel);
}
