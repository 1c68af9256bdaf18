const registry = new FinalizationRegistry<{ what: string; layers: number }>(({ what, layers }) => {
  if (layers === 0) return;
  console.warn(
    `A ${what} of ${layers} layers went out of use without dispose(): its tensors stay in memory.`,
  );
});

/** Warns where an object that holds tensors is lost before it was disposed. */
export class LeakWarning {
  readonly #held: { what: string; layers: number };

  constructor(owner: object, what: string) {
    this.#held = { what, layers: 0 };
    registry.register(owner, this.#held, this.#held);
  }

  /** Says how many layers the owner holds tensors of. */
  holds(layers: number): void {
    this.#held.layers = layers;
  }

  /** The owner was disposed. */
  over(): void {
    registry.unregister(this.#held);
  }
}
