/** Threads that run at once. */
export async function machineThreads(): Promise<number> {
  return globalThis.navigator?.hardwareConcurrency ?? 1;
}

/** Nothing: TensorFlow.js has a binary with threads where a page is cross-origin isolated. */
export async function sharedBinary(): Promise<string | undefined> {
  return undefined;
}

/**
 * Starts a worker that runs a program in a scope of its own.
 *
 * @param program a function of the data, and of what tells that it has started
 */
export async function startWorker(program: string, data: unknown): Promise<void> {
  const start = `onmessage = ({ data }) => (${program})(data, () => postMessage('started'));`;
  const address = URL.createObjectURL(new Blob([start], { type: 'text/javascript' }));
  try {
    const worker = new Worker(address);
    worker.postMessage(data);
    await new Promise((resolve, reject) => {
      worker.onmessage = resolve;
      // A page's security policy may forbid workers that no file holds.
      worker.onerror = ({ message }) => reject(new Error(message));
    });
  } finally {
    URL.revokeObjectURL(address);
  }
}
