import { type LanguageModel, Random, readTensor } from '@headwise/core';
import { stepPlanOf } from '@headwise/decoding';
import type * as tf from '@tensorflow/tfjs';
import { forcedAfter, standingAdjustments, standingFor } from './adjustments.js';
import { dolaScores } from './dola.js';
import { drawForced, drawFrom } from './draw.js';
import { LayerScores } from './layer-scores.js';
import { GuidedScores, type NextScores } from './next-scores.js';
import type { Plan } from './plan.js';
import { areRecordable, runInOrder, runOnDevice } from './processors/own.js';
import { StepScores } from './step-scores.js';

/** Draws the tokens after a sequence, and keeps the keys and values of those before. */
export class Continuation {
  readonly #plan: Plan;
  readonly #random: Random;
  readonly #scores: NextScores;
  /** Whether own processors are recorded with the step. */
  readonly #recorded: boolean;

  constructor(network: LanguageModel, plan: Plan, promptLength: number) {
    this.#plan = plan;
    this.#random = new Random(plan.seed);
    const { guidance, processors } = plan;
    const recordable = !guidance && areRecordable(processors);
    const scores = scoresOf(network, plan, promptLength, recordable ? processors : []);
    this.#recorded = recordable && scores instanceof StepScores;
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
   * Draws at least one token; as many as run ahead where the model's step is fused.
   *
   * @param sequence prompt and new tokens: what it was at the last call, and what came after
   * @param made the number of new tokens in it
   */
  async next(sequence: readonly number[], made: number): Promise<readonly number[]> {
    const plan = this.#plan;
    const forced = forcedAfter(plan, sequence, made);
    if (forced) return [drawForced(forced, plan, this.#random)];
    const count = standingFor(plan, made);
    if (count > 0 && this.#scores instanceof StepScores && this.#recorded) {
      const { bias, banned, allowed } = standingAdjustments(plan, sequence);
      const tokens = { bias, banned, allowed, source: plan.source };
      return this.#scores.draw(sequence, tokens, {
        count,
        runAhead: plan.runAhead,
        nextSeed: () => this.#random.nextUint32(),
      });
    }
    return [await this.one(sequence, made)];
  }

  /**
   * Draws one token.
   *
   * @param look is shown the scores, `[1, V]`, and the drawn id
   */
  async one(
    sequence: readonly number[],
    made: number,
    look?: (scores: tf.Tensor2D, id: number) => Promise<void>,
  ): Promise<number> {
    const plan = this.#plan;
    const scores = this.#scores.after(sequence);
    const own = this.#recorded ? [] : plan.processors;
    const processed = own.length > 0 ? await runInOrder(own, scores, sequence) : scores;
    try {
      const forced = forcedAfter(plan, sequence, made);
      const id = forced
        ? drawForced(forced, plan, this.#random)
        : await readId(drawFrom(processed, plan, this.#random, sequence, made));
      await look?.(processed, id);
      return id;
    } finally {
      if (processed !== scores) processed.dispose();
    }
  }

  dispose(): void {
    this.#scores.dispose();
  }
}

async function readId(drawn: tf.Tensor1D): Promise<number> {
  try {
    return (await readTensor(drawn))[0]!;
  } finally {
    drawn.dispose();
  }
}

/** The fused step of a model where it has one, else its layers. */
function scoresOf(
  network: LanguageModel,
  plan: Plan,
  promptLength: number,
  own: Plan['processors'],
): StepScores | LayerScores {
  const { dola } = plan;
  if (dola) {
    return new LayerScores(network, plan.storage, (network, ids, ctx) =>
      dolaScores(network, ids, ctx, dola),
    );
  }
  const step = stepPlanOf(network);
  if (!step) return new LayerScores(network, plan.storage);
  return new StepScores(network, step, plan.storage, {
    sampling: plan.sampling,
    maxLength: promptLength + plan.most,
    ...(own.length > 0 ? { process: (logits) => runOnDevice(own, logits) } : {}),
  });
}
