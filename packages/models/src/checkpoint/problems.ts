import { InputError } from '@headwise/core';

/** Problems that are told of, of those that there are. */
export const MAX_PROBLEMS = 30;

/** Gathers what is wrong with a checkpoint, to tell of all at once. */
export class Problems {
  readonly #messages: string[] = [];

  /**
   * @param last nothing after it is worth looking at
   * @throws InputError with all so far, where it is the last or they are too many
   */
  add(error: unknown, last: boolean): void {
    this.#messages.push((error as Error).message);
    if (last || this.#messages.length > MAX_PROBLEMS) this.refuse();
  }

  /** @throws InputError with all so far, if there are some */
  refuse(): void {
    if (this.#messages.length > 0) throw new InputError(this.#messages.join('\n'));
  }
}
