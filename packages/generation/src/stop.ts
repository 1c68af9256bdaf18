import type { Plan } from './plan.js';

/** Why a sequence ended: a stop id or a constraint after whose output nothing may come, its greatest length, `maxTime`, or the signal. */
export type StopReason = 'stop' | 'length' | 'time' | 'signal';

/** Tells when generation is to end. */
export class Stopping {
  readonly #plan: Plan;
  readonly #deadline: number;

  /** Time runs from here on. */
  constructor(plan: Plan) {
    this.#plan = plan;
    this.#deadline = performance.now() + plan.maxTime;
  }

  /**
   * Why no further token is to come; undefined where one is.
   *
   * @param made the number of new tokens
   * @param sequence prompt and new tokens, which may be complete for a constraint
   */
  before(made: number, sequence?: readonly number[]): StopReason | undefined {
    if (this.#plan.signal?.aborted) return 'signal';
    if (sequence && this.#plan.allowed?.isDone(sequence, made)) return 'stop';
    if (made >= this.#plan.most) return 'length';
    return made > 0 && performance.now() >= this.#deadline ? 'time' : undefined;
  }

  /** Whether a token ends the sequence; it is left out of the result. */
  at(id: number): boolean {
    return this.#plan.stopIds.includes(id);
  }
}
