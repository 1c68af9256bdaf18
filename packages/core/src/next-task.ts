/**
 * Yields to the event loop, so that a page can draw and signals arrive.
 *
 * On the backends cpu and wasm nothing else waits: a loop over their results would keep all else out.
 */
export function nextTask(): Promise<void> {
  return new Promise((done) => setTimeout(done, 0));
}
