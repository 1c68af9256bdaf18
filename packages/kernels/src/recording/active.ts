/** What a recording that runs now is told by our own dispatches. */
interface Listener {
  /** The contents of a program's uniforms, as words. */
  uniforms(words: Int32Array): void;
}

/** The backends whose commands are being recorded. */
export const recordings: WeakMap<object, Listener> = new WeakMap();

/** The data of tensors that are overwritten between replays of the step that is being recorded. */
export const changingData: Set<object> = new Set();
