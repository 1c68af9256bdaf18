import type { LanguageModel, Network } from '@headwise/core';
import type { Lora, Model } from '@headwise/models';
import type { HistoryEntry } from './history.js';

/** A saved state of a run. */
export interface SavedState {
  /** Where it is, for errors. */
  name: string;
  /** A safetensors file, as `trainerState` makes it. */
  bytes: Uint8Array;
}

/** What a run saves to go on from. */
export interface Checkpoint<N extends Network = LanguageModel> {
  /** Steps made. */
  step: number;
  /** The safetensors file of the state in chunks; reading it throws a DivergedError where a value is not finite. */
  state: AsyncIterable<Uint8Array>;
  /** The result so far: with averaged weights where the run keeps them. */
  model: Model<N>;
  /** What was trained in place of the model's parameters. */
  adapter?: Lora | undefined;
}

/** Where a run is kept: a folder in Node.js, or the storage of a browser. */
export interface RunStorage<N extends Network = LanguageModel> {
  /**
   * The state to resume from; undefined before the first checkpoint.
   *
   * @throws InputError where a state was saved and none is as it was saved
   */
  state(): Promise<SavedState | undefined>;
  /**
   * Goes back to the history after so many steps; what came later is made again.
   *
   * @returns whether the validation after the last of them is in it
   */
  rewind(steps: number): Promise<{ validated: boolean }>;
  /** Adds to the history; it is saved with the next checkpoint at the latest. */
  note(entry: HistoryEntry): void;
  /** Saves a checkpoint, with what was noted up to it: all of it, or, with an error, nothing. */
  save(checkpoint: Checkpoint<N>): Promise<void>;
}
