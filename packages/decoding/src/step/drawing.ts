import { type Recording, recordStep } from '@headwise/kernels';
import {
  biasRow,
  type CheckedSampling,
  markTokens,
  penalises,
  type StepState,
  sampleStep,
  sizesOf,
} from '@headwise/kernels/internal';
import * as tf from '@tensorflow/tfjs';
import { kept } from '../cache/kept.js';
import type { StepPlan } from './plan.js';
import { stateTensor } from './state.js';

/** The most tokens that can be drawn before the first of them is read. */
export const mostAhead = 32;

/** What sampling changes in the scores of single tokens. The same in every call, but for the history and what is allowed. */
export interface DrawTokens {
  /** The ids that penalties are for. */
  history: readonly number[];
  /** The ids that `encoderRepetitionPenalty` is for. */
  source?: readonly number[] | undefined;
  /** The ids that are never drawn. */
  banned?: ReadonlySet<number> | undefined;
  /** Added to scores, by id. */
  bias?: ReadonlyMap<number, number> | undefined;
  /** Bits of the ids that may be drawn, 32 a word; may differ from call to call, and is for all tokens of a call. */
  allowed?: Int32Array | undefined;
}

/** A step that scores tokens, and the state that it reads. */
export interface Scoring {
  recording: Recording<{ logits: tf.Tensor2D }>;
  state: StepState;
}

/** A step that draws, and what it was recorded with. */
export interface Drawing extends Scoring {
  drawn: tf.Tensor2D;
  marks: tf.Tensor | undefined;
  bias: tf.Tensor2D | undefined;
  allowed: tf.Tensor2D | undefined;
  /** Tokens that the marks count, where it draws with marks. */
  counted: number;
}

/** What a drawing step is recorded from. */
interface DrawingParts {
  head: StepPlan['head'];
  sampling: CheckedSampling;
  /** The scores after the tokens of a state. */
  step(state: StepState): tf.Tensor2D;
}

/**
 * Runs a step that draws, and records it.
 *
 * @param values of its first state, as `stateOf` gives them
 */
export function recordDrawing(
  { head, sampling, step }: DrawingParts,
  values: Int32Array,
  { history, source = [], banned = new Set(), bias, allowed }: DrawTokens,
): Drawing {
  const state = stateTensor(1, values);
  const drawn = kept(() => tf.zeros<tf.Rank.R2>([1, mostAhead], 'int32'));
  const vocabulary = head.weights.reduce((sum, w) => sum + sizesOf(w)[1], 0);
  const lists = {
    history: penalises(sampling) ? history : [],
    source: sampling.encoderRepetitionPenalty === 1 ? [] : source,
    banned: [...banned],
  };
  const biases = bias && bias.size > 0 ? kept(() => biasRow(bias, vocabulary)) : undefined;
  const needsMarks = biases || Object.values(lists).some(({ length }) => length > 0);
  const marks = needsMarks
    ? kept(() => {
        const given = Object.entries(lists).filter(([, { length }]) => length > 0);
        const tokens = Object.fromEntries(given.map(([name, ids]) => [name, listed(ids)]));
        return markTokens(tokens, 1, vocabulary);
      })
    : undefined;
  const mask = allowed && kept(() => tf.tensor2d(allowed, [1, allowed.length], 'int32'));
  const recording = recordStep(() => {
    const logits = step(state);
    sampleStep(logits, { state, drawn, marks, bias: biases, allowed: mask }, sampling);
    return { logits };
  });
  const counted = history.length;
  return { recording, state, drawn, marks, bias: biases, allowed: mask, counted };
}

/** Frees a recording that draws and its tensors. */
export function freeDrawing({ recording, state, drawn, marks, bias, allowed }: Drawing): void {
  recording.dispose();
  tf.dispose([state, drawn, marks, bias, allowed].filter((tensor) => tensor !== undefined));
}

/** Ids as a list for penalties, `[1, N]`. */
const listed = (ids: readonly number[]): tf.Tensor2D =>
  tf.tensor2d([...ids], [1, ids.length], 'int32');
