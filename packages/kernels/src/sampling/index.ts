import { BackendError, checkShape, InputError } from '@headwise/core';
import { checkWhenRead, keyOf } from '@headwise/core/internal';
import * as tf from '@tensorflow/tfjs';
import { checkNotEmpty, checkType } from '../dispatch/check.js';
import { hasKernel, registerWebGPUKernel, runKernel } from '../dispatch/register.js';
import { checkIds } from '../ids/index.js';
import { vocabularyOf } from '../ids/space.js';
import { markKernel } from './adjust.js';
import {
  type CheckedSampling,
  checkedSampling,
  penalises,
  type SamplingOptions,
} from './options.js';
import { maskWords } from './penalties.js';
import { candidatesOfRow, drawCandidate } from './reference.js';
import { checkDrawn } from './scores.js';
import { sampleKernel } from './webgpu.js';

/** What changes the scores of single tokens. Ids are in [0, V); −1 is ignored. */
export interface SamplingTokens {
  /** `[B, T]`, int32: the ids that penalties are for. */
  history?: tf.Tensor2D | undefined;
  /** `[B, S]`, int32: the ids that `encoderRepetitionPenalty` is for. */
  source?: tf.Tensor2D | undefined;
  /** `[B, N]`, int32: the ids that are not drawn: their scores become −∞. */
  banned?: tf.Tensor2D | undefined;
  /** `[1, V]` or `[B, V]`: added to the scores. */
  bias?: tf.Tensor2D | undefined;
  /**
   * `[1, W]` or `[B, W]`, int32, `W = ⌈V / 32⌉`: only tokens `v` with bit `v mod 32` of word `⌊v / 32⌋` are drawn.
   */
  allowed?: tf.Tensor2D | undefined;
  /** `[B, N]`, int32: ids whose scores `s` become `s + raise |s|`. */
  raised?: tf.Tensor2D | undefined;
  /** How much the scores of `raised` grow; default 0. */
  raise?: number | undefined;
}

const lists = ['history', 'source', 'banned', 'raised'] as const;
type Lists = Partial<Record<(typeof lists)[number], tf.Tensor2D>>;

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
  const ids = sampleRows(logits, options, seed, tokens);
  const vocabulary = logits.shape[1];
  checkWhenRead(ids, (values) => checkDrawn('sampleTokens', values, vocabulary));
  return ids;
}

/**
 * Draws as `sampleTokens` does. On WebGPU the id of a row that cannot be drawn is negative, as `checkDrawn` reads it.
 *
 * @param seeds one for all rows, or one for each, which then draws as it would alone
 * @throws as `sampleTokens`
 */
export function sampleRows(
  logits: tf.Tensor2D,
  options: SamplingOptions,
  seeds: number | readonly number[],
  tokens: SamplingTokens = {},
): tf.Tensor1D {
  checkShape('sampleTokens: logits', logits.shape, ['B', 'V']);
  checkNotEmpty('sampleTokens: logits', logits);
  checkType('sampleTokens: logits', logits, 'float32');
  for (const name of lists) {
    const ids = tokens[name];
    if (!ids) continue;
    checkShape(`sampleTokens: ${name}`, ids.shape, [logits.shape[0], 'T']);
    checkType(`sampleTokens: ${name}`, ids, 'int32');
  }
  const [rows, vocabulary] = logits.shape;
  for (const name of ['history', 'source'] as const) {
    const ids = tokens[name];
    if (ids) checkIds(ids, vocabularyOf(vocabulary, `sampleTokens: ${name}: id`, -1));
  }
  const { bias, allowed, raise = 0 } = tokens;
  if (bias) {
    checkShape('sampleTokens: bias', bias.shape, [bias.shape[0] === 1 ? 1 : rows, vocabulary]);
  }
  if (allowed) {
    const words = maskWords(vocabulary);
    checkShape('sampleTokens: allowed', allowed.shape, [allowed.shape[0] === 1 ? 1 : rows, words]);
    checkType('sampleTokens: allowed', allowed, 'int32');
  }
  for (const seed of [seeds].flat()) {
    if (Number.isSafeInteger(seed) && seed >= 0) continue;
    throw new InputError(`sampleTokens: seed is ${seed}; expected a whole number of at least 0`);
  }
  const checked = checkedSampling(options);
  const listed = listedOf(tokens, checked);
  return tf.tidy(() => {
    if (!hasKernel('headwise/Sample')) {
      if (tf.getBackend() === 'webgpu') {
        // Its values cannot be read at once in Node.
        throw new BackendError(
          "sampleTokens: WebGPU runs without Headwise's kernels; expected start() of @headwise/kernels before",
        );
      }
      return sampleInJavaScript(logits, checked, seeds, { ...listed, bias, allowed, raise });
    }
    const marked = bias !== undefined || Object.keys(listed).length > 0;
    const inputs = {
      logits,
      ...(marked ? { marks: markTokens(listed, rows, vocabulary) } : {}),
      ...(bias ? { bias } : {}),
      ...(allowed ? { allowed } : {}),
      ...(typeof seeds === 'number' ? {} : { seeds: keysOf(seeds) }),
    };
    const seed = typeof seeds === 'number' ? seeds : 0;
    return runKernel('headwise/Sample', inputs, { ...checked, raise, seed })[0] as tf.Tensor1D;
  });
}

/** The keys of seeds, `[B, 2]`, int32. */
const keysOf = (seeds: readonly number[]): tf.Tensor2D =>
  tf.tensor2d(Int32Array.from(seeds.flatMap(keyOf)), [seeds.length, 2], 'int32');

/** Biases by id as `sampleTokens` takes them: `[1, V]`, 0 elsewhere. */
export function biasRow(biases: ReadonlyMap<number, number>, vocabulary: number): tf.Tensor2D {
  const row = new Float32Array(vocabulary);
  for (const [id, value] of biases) row[id] = value;
  return tf.tensor2d(row, [1, vocabulary]);
}

/**
 * How often each token occurred, and its marks: what `sampleStep` reads and counts on, on WebGPU.
 *
 * @param tokens each id in [0, V) or −1
 * @returns bits, int32 `[B, V]`
 */
export function markTokens(tokens: SamplingTokens, rows: number, vocabulary: number): tf.Tensor {
  registerSampling();
  return runKernel('headwise/MarkTokens', filled(tokens), { rows, vocabulary })[0]!;
}

/** The lists that are not empty and have an effect. */
function listedOf(tokens: SamplingTokens, options: CheckedSampling): Lists {
  return filled({
    history: penalises(options) ? tokens.history : undefined,
    source: options.encoderRepetitionPenalty === 1 ? undefined : tokens.source,
    banned: tokens.banned,
    raised: tokens.raise ? tokens.raised : undefined,
  });
}

function filled(tokens: SamplingTokens): Lists {
  const listed: Lists = {};
  for (const name of lists) {
    const ids = tokens[name];
    if (ids && ids.size > 0) listed[name] = ids;
  }
  return listed;
}

/** The path of other backends, whose values can be read at once. */
function sampleInJavaScript(
  logits: tf.Tensor2D,
  options: CheckedSampling,
  seeds: number | readonly number[],
  { history, source, banned, bias, allowed, raised, raise = 0 }: SamplingTokens,
): tf.Tensor1D {
  const [rows, vocabulary] = logits.shape;
  const scores = logits.dataSync();
  const rowOf = (values: tf.Tensor2D | undefined, row: number) => {
    if (!values) return undefined;
    const [count, length] = values.shape;
    const start = count === 1 ? 0 : row * length;
    return values.dataSync().slice(start, start + length);
  };
  const ids = Int32Array.from({ length: rows }, (_, row) => {
    const own = scores.slice(row * vocabulary, (row + 1) * vocabulary);
    const candidates = candidatesOfRow('sampleTokens', row, own, options, {
      history: rowOf(history, row),
      source: rowOf(source, row),
      banned: rowOf(banned, row),
      bias: rowOf(bias, row),
      allowed: rowOf(allowed, row),
      raised: raised && { ids: rowOf(raised, row)!, factor: raise },
    });
    return typeof seeds === 'number'
      ? drawCandidate(candidates, seeds, row)
      : drawCandidate(candidates, seeds[row]!, 0);
  });
  return tf.tensor1d(ids, 'int32');
}

/** Makes `sampleTokens` use its WebGPU kernels. */
export function registerSampling(): void {
  registerWebGPUKernel('headwise/MarkTokens', markKernel);
  registerWebGPUKernel('headwise/Sample', sampleKernel);
}
