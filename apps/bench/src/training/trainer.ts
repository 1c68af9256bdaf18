/** A model in training. */
export interface Trainer {
  /** Makes one step, which is over when this resolves; `ms` where it ran elsewhere. */
  step(): Promise<{ loss: number; ms?: number }>;
  dispose(): void;
}
