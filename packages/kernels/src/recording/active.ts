/** The backends whose commands go to a recording now. */
export const recordingBackends: WeakSet<object> = new WeakSet();

/** The data of tensors that are overwritten between replays of the step that is being recorded. */
export const changingData: Set<object> = new Set();
