import type { TrainStep } from '@headwise/training';
import { duration } from '../output.js';

/** Tokens a second and the time left, over the steps since the program started. */
export class Speed {
  readonly #begun = performance.now();
  #tokens = 0;
  #steps = 0;
  #loss: number | undefined;

  describe(made: TrainStep, total: number): string {
    this.#tokens += made.predicted;
    this.#steps++;
    // Smoothed, as single batches vary.
    this.#loss = this.#loss === undefined ? made.loss : 0.9 * this.#loss + 0.1 * made.loss;
    const seconds = (performance.now() - this.#begun) / 1000;
    const left = ((total - made.step - 1) * seconds) / this.#steps;
    return `loss ${this.#loss.toFixed(3)}  ${Math.round(this.#tokens / seconds)} tokens/s  ${duration(left)} left`;
  }
}
