/** The backends whose commands go to a recording now. */
export const recordingBackends: WeakSet<object> = new WeakSet();
