/** Losses in a row, without a new checkpoint between them, that a run survives. */
const most = 3;

/** Decides whether a run goes on after its GPU device, or the process that it trains in, was lost. */
export class DeviceLosses {
  #inARow = 0;
  #reached = -1;

  /**
   * Counts a loss.
   *
   * @param checkpoint the step of the checkpoint that the run goes on from
   * @returns whether the run goes on
   */
  survives(checkpoint: number): boolean {
    this.#inARow = checkpoint > this.#reached ? 1 : this.#inARow + 1;
    this.#reached = Math.max(this.#reached, checkpoint);
    return this.#inARow <= most;
  }
}
