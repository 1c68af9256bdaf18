/** Draws one chart a frame: no frame has to wait for all of them. */
export class DrawQueue {
  readonly #waiting = new Map<object, () => void>();
  readonly #nextFrame: (draw: () => void) => void;
  #asked = false;

  /** @param nextFrame calls back before the next frame is shown */
  constructor(nextFrame: (draw: () => void) => void) {
    this.#nextFrame = nextFrame;
  }

  /** Draws a chart soon; what it was to draw before is left out. */
  add(chart: object, draw: () => void): void {
    this.#waiting.set(chart, draw);
    this.#ask();
  }

  remove(chart: object): void {
    this.#waiting.delete(chart);
  }

  #ask(): void {
    if (this.#asked || this.#waiting.size === 0) return;
    this.#asked = true;
    this.#nextFrame(() => {
      this.#asked = false;
      const [first] = this.#waiting;
      if (!first) return;
      const [chart, draw] = first;
      this.#waiting.delete(chart);
      this.#ask();
      draw();
    });
  }
}
