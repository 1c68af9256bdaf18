import { InputError, type LanguageModel, Random } from '@headwise/core';
import { stepPlanOf } from '@headwise/decoding';
import { checkDrawn, penalises } from '@headwise/kernels/internal';
import * as tf from '@tensorflow/tfjs';
import { forcedAfter, standingAdjustments, standingFor } from './adjustments.js';
import { dolaScores } from './dola.js';
import { drawForced, drawRows, readIds } from './draw.js';
import { LayerScores } from './layer-scores.js';
import { type CheckedScores, GuidedScores, type NextScores } from './next-scores.js';
import { checkId, mostConstrained, type Plan } from './plan.js';
import { areRecordable, runInOrder, runOnDevice } from './processors/own.js';
import { DraftLength } from './speculation/draft-length.js';
import type { Drafter } from './speculation/speculation.js';
import { StepScores } from './step-scores.js';

/** Is shown scores, `[1, V]`, and the id that was drawn from them. */
export type Look = (scores: tf.Tensor2D, id: number) => Promise<void>;

/** Draws the tokens after a sequence, and keeps the keys and values of those before. */
export class Continuation {
  readonly #plan: Plan;
  #random: Random;
  readonly #scores: NextScores;
  /** The model's own scores, which can be computed after several tokens at once. */
  readonly #checked: CheckedScores;
  readonly #vocabSize: number;
  readonly #drafter: Drafter | undefined;
  readonly #draftLength = new DraftLength();
  /** Whether own processors are recorded with the step. */
  readonly #recorded: boolean;

  constructor(network: LanguageModel, plan: Plan, promptLength: number) {
    this.#plan = plan;
    this.#random = new Random(plan.seed);
    this.#vocabSize = network.vocabSize;
    this.#drafter = plan.speculation?.start(network);
    const { guidance, processors } = plan;
    const recordable = !guidance && areRecordable(processors);
    const scores = scoresOf(network, plan, promptLength, recordable ? processors : []);
    this.#recorded = recordable && scores instanceof StepScores;
    this.#checked = scores;
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
   * Draws at least one token; as many as run ahead where the model's step is fused, or as were drafted and are right.
   *
   * @param sequence prompt and new tokens: what it was at the last call, and what came after
   * @param made the number of new tokens in it
   */
  async next(sequence: readonly number[], made: number): Promise<readonly number[]> {
    const drafted = await this.#draft(sequence, made);
    if (drafted.length > 0) return this.#check(sequence, made, drafted);
    const ids = await this.#undrafted(sequence, made);
    this.#draftLength.skip(ids.length);
    return ids;
  }

  /** Does what drawing the first tokens does, for its programs: within the step of `compilePipelines`. */
  rehearse(prompt: readonly number[]): void {
    const plan = this.#plan;
    if (this.#scores instanceof StepScores) {
      this.#rehearseOne(prompt, 0);
      const { bias, banned, allowed } = standingAdjustments(plan, prompt);
      const next = [...prompt, 0];
      if (this.#scores.room(prompt) === 0) return;
      this.#scores.rehearse(next, { bias, banned, allowed, source: plan.source });
      return;
    }
    for (const made of [0, 1])
      this.#rehearseOne([...prompt, 0].slice(0, prompt.length + made), made);
  }

  #rehearseOne(ids: readonly number[], made: number): void {
    const next = { plan: this.#plan, random: this.#random, ids, made };
    drawRows(this.#scores.after(ids), [next], () => {}).dispose();
  }

  async #undrafted(sequence: readonly number[], made: number): Promise<readonly number[]> {
    const plan = this.#plan;
    const forced = forcedAfter(plan, sequence, made);
    if (forced) return [drawForced(forced, plan, this.#random)];
    const ahead = this.#drafter ? Math.max(1, this.#draftLength.rest) : Number.POSITIVE_INFINITY;
    const count = Math.min(standingFor(plan, made), ahead);
    // A recorded draw counts the tokens that penalties are for; drafts in between would make it be recorded anew.
    const drawsRecorded = this.#recorded && !(this.#drafter && penalises(plan.sampling));
    const scores = this.#scores;
    if (count > 0 && scores instanceof StepScores && drawsRecorded && scores.isReady(sequence)) {
      const { bias, banned, allowed } = standingAdjustments(plan, sequence);
      const tokens = { bias, banned, allowed, source: plan.source };
      return scores.draw(sequence, tokens, {
        count,
        runAhead: plan.runAhead,
        nextSeed: () => this.#random.nextUint32(),
      });
    }
    return [await this.#one(sequence, made)];
  }

  /**
   * Draws at least one token, each read with its scores: one, or as many as were drafted and are right.
   *
   * @param look is shown the scores of each, `[1, V]`, and the drawn id
   */
  async looked(sequence: readonly number[], made: number, look: Look): Promise<readonly number[]> {
    const drafted = await this.#draft(sequence, made);
    if (drafted.length > 0) return this.#check(sequence, made, drafted, look);
    this.#draftLength.skip(1);
    return [await this.#one(sequence, made, look)];
  }

  /** Forgets what came after the first `length` tokens of the sequence. */
  keep(length: number): void {
    this.#checked.keep(length);
  }

  async #draft(sequence: readonly number[], made: number): Promise<readonly number[]> {
    const drafter = this.#drafter;
    if (!drafter) return [];
    const { next } = this.#draftLength;
    const most = Math.min(next, this.#plan.most - made - 1, this.#checked.room(sequence));
    if (most < 1) return [];
    const ids = (await drafter.draft(sequence, most)).slice(0, most);
    for (const id of ids) checkId('speculation', id, this.#vocabSize);
    const { allowed } = this.#plan;
    return allowed ? allowed.fitting(sequence, ids, mostConstrained(this.#plan)) : ids;
  }

  /**
   * Draws the tokens at the places of drafted ones, as far as those are right, and the one after them.
   *
   * Each is drawn from the model's scores with the seed that it would have without a draft: the result is the same.
   */
  async #check(
    sequence: readonly number[],
    made: number,
    drafted: readonly number[],
    look?: Look,
  ): Promise<readonly number[]> {
    const all = [...sequence, ...drafted];
    const rows = this.#checked.afterEach(all, drafted.length + 1);
    const draws: Draw[] = [];
    const random = [this.#random.state];
    try {
      for (let n = 0; n <= drafted.length; n++) {
        const draw = await this.#drawRow(rows, n, all.slice(0, sequence.length + n), made + n);
        if (!draw) break;
        draws.push(draw);
        random.push(this.#random.state);
      }
      const ids = await readIds(draws.map(({ drawn }) => drawn));
      let right = 0;
      while (right < drafted.length && ids[right] === drafted[right]) right++;
      const found = ids.slice(0, right + 1);
      checkDrawn('sampleTokens', found, this.#vocabSize);
      for (const [n, id] of found.entries()) await look?.(draws[n]!.processed, id);
      this.#draftLength.report(drafted.length, right);
      this.#random = new Random(random[found.length]!);
      // The last token found is processed with the next one.
      this.#checked.keep(sequence.length + found.length - 1);
      return found;
    } finally {
      for (const draw of draws) disposeDraw(draw);
    }
  }

  /** Draws from one of several rows; undefined for a later row that nothing can be drawn from, as its draft may be wrong. */
  async #drawRow(
    rows: tf.Tensor2D,
    n: number,
    sequence: readonly number[],
    made: number,
  ): Promise<Draw | undefined> {
    const row = tf.tidy(() => rows.slice<tf.Tensor2D>([n, 0], [1, rows.shape[1]]));
    try {
      return await this.#draw(row, sequence, made);
    } catch (error) {
      if (n > 0 && error instanceof InputError) return undefined;
      throw error;
    } finally {
      row.dispose();
    }
  }

  /**
   * Draws one token.
   *
   * @param look is shown the scores, `[1, V]`, and the drawn id
   */
  async #one(sequence: readonly number[], made: number, look?: Look): Promise<number> {
    const draw = await this.#draw(this.#scores.after(sequence), sequence, made);
    try {
      const [id] = (await readIds([draw.drawn])) as [number];
      checkDrawn('sampleTokens', [id], this.#vocabSize);
      await look?.(draw.processed, id);
      return id;
    } finally {
      disposeDraw(draw);
    }
  }

  /** Draws a token from scores, `[1, V]`. */
  async #draw(scores: tf.Tensor2D, sequence: readonly number[], made: number): Promise<Draw> {
    const plan = this.#plan;
    const own = this.#recorded ? [] : plan.processors;
    const processed = own.length > 0 ? await runInOrder(own, scores, sequence) : scores.clone();
    try {
      const next = { plan, random: this.#random, ids: sequence, made };
      const drawn = drawRows(processed, [next], (_, error) => {
        throw error;
      });
      return { drawn, processed };
    } catch (error) {
      processed.dispose();
      throw error;
    }
  }

  dispose(): void {
    this.#scores.dispose();
    this.#drafter?.dispose();
  }
}

/** A drawn id, `[1]`, and the scores that it was drawn from, `[1, V]`. */
interface Draw {
  drawn: tf.Tensor1D;
  processed: tf.Tensor2D;
}

const disposeDraw = ({ drawn, processed }: Draw): void => tf.dispose([drawn, processed]);

/** The fused step of a model where it has one, else its layers. */
function scoresOf(
  network: LanguageModel,
  plan: Plan,
  promptLength: number,
  own: Plan['processors'],
): StepScores | LayerScores {
  const { dola } = plan;
  if (dola) {
    return new LayerScores(network, plan, (network, ids, ctx) =>
      dolaScores(network, ids, ctx, dola),
    );
  }
  const step = stepPlanOf(network);
  if (!step) return new LayerScores(network, plan);
  return new StepScores(network, step, plan, {
    sampling: plan.sampling,
    maxLength: promptLength + plan.most,
    ...(own.length > 0 ? { process: (logits) => runOnDevice(own, logits) } : {}),
  });
}
