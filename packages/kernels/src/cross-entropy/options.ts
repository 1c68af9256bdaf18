export interface CrossEntropyOptions {
  /** The part of the target that is spread evenly over the vocabulary, in [0, 1]; default 0. */
  labelSmoothing?: number | undefined;
  /** Rows with this label cost nothing and have no gradient; default −100, as in PyTorch. */
  ignoreIndex?: number | undefined;
  /** The weight of `(log Σ exp)²`, which keeps the logits' scale in place; default 0. */
  zLoss?: number | undefined;
}

/** The options with their defaults. */
export type CheckedCrossEntropy = Record<keyof CrossEntropyOptions, number>;
