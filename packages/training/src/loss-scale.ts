import { InputError } from '@headwise/core';

/** As `torch.amp.GradScaler` takes them. */
export interface LossScaleOptions {
  /** The first scale; default 2¹⁶. */
  initial?: number | undefined;
  /** Multiplies the scale after `interval` steps in a row with finite gradients; default 2. */
  growth?: number | undefined;
  /** Multiplies the scale after a step whose gradients are not finite; default 0.5. */
  backoff?: number | undefined;
  /** Default 2000. */
  interval?: number | undefined;
}

/** What a loss scale goes on from. */
export interface LossScaleState {
  /** The scale of the next step. */
  value: number;
  /** Steps with finite gradients since the scale last changed. */
  finite: number;
  /** Steps skipped in a row. */
  skipped: number;
}

/** Steps skipped in a row, after which training has diverged, whatever the scale is. */
const mostSkipped = 32;

/**
 * A factor of the loss that keeps small gradients within the range of float16, and follows what they allow.
 *
 * Gradients that are not finite skip the step and lower the scale; many finite ones raise it.
 *
 * @throws InputError for an option outside its range
 * @see Micikevicius et al. 2018, https://arxiv.org/abs/1710.03740; it computes as `torch.amp.GradScaler`
 */
export class LossScale {
  readonly growth: number;
  readonly backoff: number;
  readonly interval: number;
  #state: LossScaleState;

  constructor(options: LossScaleOptions = {}) {
    const { initial = 65_536, growth = 2, backoff = 0.5, interval = 2000 } = options;
    check('initial', initial, initial > 0 && Number.isFinite(initial), 'a finite number above 0');
    check('growth', growth, growth > 1 && Number.isFinite(growth), 'a finite number above 1');
    check('backoff', backoff, backoff > 0 && backoff < 1, 'a number between 0 and 1');
    const whole = Number.isSafeInteger(interval) && interval >= 1;
    check('interval', interval, whole, 'a whole number of at least 1');
    this.growth = growth;
    this.backoff = backoff;
    this.interval = interval;
    this.#state = { value: Math.fround(initial), finite: 0, skipped: 0 };
  }

  /** The scale of the next step, a float32. */
  get value(): number {
    return this.#state.value;
  }

  /** What is saved with a training run. */
  get state(): Readonly<LossScaleState> {
    return this.#state;
  }

  /** Whether a lower scale cannot help gradients that are not finite: it is 1 or less, or 32 steps in a row were skipped. */
  get exhausted(): boolean {
    return this.value <= 1 || this.#state.skipped >= mostSkipped;
  }

  /** Sets the scale of the next step, by whether the gradients of this one are finite. */
  update(gradientsAreFinite: boolean): void {
    const { value, finite, skipped } = this.#state;
    if (!gradientsAreFinite) {
      this.#state = { value: Math.fround(value * this.backoff), finite: 0, skipped: skipped + 1 };
    } else if (finite + 1 < this.interval) {
      this.#state = { value, finite: finite + 1, skipped: 0 };
    } else {
      const grown = Math.fround(value * this.growth);
      this.#state = { value: Number.isFinite(grown) ? grown : value, finite: 0, skipped: 0 };
    }
  }

  /**
   * Goes on from a saved state.
   *
   * @throws InputError where it is not one; nothing is changed then
   */
  restore({ value, finite, skipped }: LossScaleState): void {
    check('value', value, value > 0 && Math.fround(value) === value, 'a float32 above 0');
    for (const [name, count] of Object.entries({ finite, skipped })) {
      const whole = Number.isSafeInteger(count) && count >= 0;
      check(name, count, whole, 'a whole number of at least 0');
    }
    this.#state = { value, finite, skipped };
  }
}

function check(name: string, value: unknown, holds: boolean, expected: string): void {
  if (!holds) throw new InputError(`LossScale: ${name} is ${value}; expected ${expected}`);
}
