import { type LanguageModel, Random, readTensor } from '@headwise/core';
import { stepPlanOf } from '@headwise/decoding';
import { sampleTokens } from '@headwise/kernels';
import * as tf from '@tensorflow/tfjs';
import {
  type Adjustments,
  adjustmentsAfter,
  standingAdjustments,
  standingFor,
} from './adjustments.js';
import { LayerScores } from './layer-scores.js';
import { GuidedScores, type NextScores } from './next-scores.js';
import type { Plan } from './plan.js';
import { forcedIds } from './processors/forced.js';
import { areRecordable, runInOrder, runOnDevice } from './processors/own.js';
import { StepScores } from './step-scores.js';

/** Draws the tokens after a sequence, and keeps the keys and values of those before. */
export class Continuation {
  readonly #vocabulary: number;
  readonly #plan: Plan;
  readonly #random: Random;
  readonly #scores: NextScores;
  /** Whether own processors are recorded with the step. */
  readonly #recorded: boolean;

  constructor(network: LanguageModel, plan: Plan, promptLength: number) {
    this.#vocabulary = network.vocabSize;
    this.#plan = plan;
    this.#random = new Random(plan.seed);
    const { guidance, processors } = plan;
    this.#recorded = !guidance && areRecordable(processors);
    const own = this.#recorded ? processors : [];
    const scores = scoresOf(network, plan, promptLength, own);
    this.#recorded &&= scores instanceof StepScores;
    this.#scores = guidance
      ? new GuidedScores(
          scores,
          scoresOf(network, plan, guidance.prompt.length, []),
          guidance,
          promptLength,
        )
      : scores;
  }

  /**
   * Draws at least one token.
   *
   * @param sequence prompt and new tokens: what it was at the last call, and what came after
   * @param made the number of new tokens in it
   */
  async next(sequence: readonly number[], made: number): Promise<readonly number[]> {
    const plan = this.#plan;
    const forced = forcedIds(plan.forced, sequence.length, plan.most - made);
    if (forced) return [await this.#drawForced(forced)];
    const count = standingFor(plan, made);
    if (count > 0 && this.#scores instanceof StepScores && this.#recorded) {
      const { bias, banned } = standingAdjustments(plan);
      const tokens = { bias, banned, source: plan.source };
      return this.#scores.draw(sequence, tokens, {
        count,
        runAhead: plan.runAhead,
        nextSeed: () => this.#random.nextUint32(),
      });
    }
    const scores = this.#scores.after(sequence);
    const own = this.#recorded ? [] : plan.processors;
    const processed = own.length > 0 ? await runInOrder(own, scores, sequence) : scores;
    try {
      return [await this.#draw(processed, sequence, adjustmentsAfter(plan, sequence, made))];
    } finally {
      if (processed !== scores) processed.dispose();
    }
  }

  dispose(): void {
    this.#scores.dispose();
  }

  async #draw(
    scores: tf.Tensor2D,
    sequence: readonly number[],
    { bias, banned, raise }: Adjustments,
  ): Promise<number> {
    const { sampling, source, stopIds } = this.#plan;
    const drawn = tf.tidy(() =>
      sampleTokens(scores, sampling, this.#random.nextUint32(), {
        history: padded(sequence),
        source: padded(source),
        banned: banned.size > 0 ? padded([...banned]) : undefined,
        bias: bias.size > 0 ? dense(bias, this.#vocabulary) : undefined,
        raised: raise !== 0 && stopIds.length > 0 ? padded(stopIds) : undefined,
        raise,
      }),
    );
    try {
      return (await readTensor(drawn))[0]!;
    } finally {
      drawn.dispose();
    }
  }

  /** One of several ids, all as likely; of those that are not suppressed. */
  #drawForced(ids: readonly number[]): Promise<number> | number {
    const allowed = [...new Set(ids)].filter((id) => !this.#plan.suppressIds.includes(id));
    if (allowed.length === 1) return allowed[0]!;
    if (this.#plan.sampling.temperature === 0) return Math.min(...allowed);
    return allowed[this.#random.nextUint32() % allowed.length]!;
  }
}

/** The fused step of a model where it has one, else its layers. */
function scoresOf(
  network: LanguageModel,
  plan: Plan,
  promptLength: number,
  own: Plan['processors'],
): StepScores | LayerScores {
  const step = stepPlanOf(network);
  if (!step) return new LayerScores(network, plan.storage);
  return new StepScores(network, step, plan.storage, {
    sampling: plan.sampling,
    maxLength: promptLength + plan.most,
    ...(own.length > 0 ? { process: (logits) => runOnDevice(own, logits) } : {}),
  });
}

/** Ids with −1 after them, up to a multiple of 256: buffers of few sizes, which are used again. */
function padded(ids: readonly number[]): tf.Tensor2D {
  const size = Math.ceil(ids.length / 256) * 256;
  const values = new Int32Array(size).fill(-1);
  values.set(ids);
  return tf.tensor2d(values, [1, size], 'int32');
}

/** Values by id as a row, `[1, V]`, of zeros elsewhere. */
function dense(values: ReadonlyMap<number, number>, vocabulary: number): tf.Tensor2D {
  const row = new Float32Array(vocabulary);
  for (const [id, value] of values) row[id] = value;
  return tf.tensor2d(row, [1, vocabulary]);
}
