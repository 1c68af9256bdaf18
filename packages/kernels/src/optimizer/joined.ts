import type { OptimizerState } from './state.js';

/** The state of some of the parameters. */
export interface StatePart {
  /** The numbers of the parameters. */
  numbers: readonly number[];
  state: OptimizerState;
}

/** One state of several, each over parameters of its own. */
export function joinedState(parts: readonly StatePart[]): OptimizerState {
  return {
    slots: parts.flatMap(({ numbers, state }) =>
      state.slots.map((slot) => ({ ...slot, parameter: numbers[slot.parameter]! })),
    ),
    update(gradients, step, scale) {
      for (const { numbers, state } of parts) {
        state.update(
          numbers.map((i) => gradients[i]!),
          step,
          scale,
        );
      }
    },
    dispose() {
      for (const { state } of parts) state.dispose();
    },
  };
}
