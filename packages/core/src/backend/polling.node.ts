type Schedule = (callback: (...given: unknown[]) => void, ...given: unknown[]) => unknown;

/** Milliseconds for which Dawn polls without a pause: short work is read at once. */
const eager = 1;
/** Milliseconds between polls from then on. */
const pause = 1;

/** Whether a function was made by native code, without a name, as Dawn's are. */
const isNative = (f: unknown) =>
  Function.prototype.toString.call(f) === 'function () { [native code] }';

/**
 * `setImmediate` under which Dawn polls once a millisecond where it waits for longer than one.
 *
 * While something is read from the GPU, Dawn in Node polls with `setImmediate`, which it looks up anew each time, and so
 * takes a whole core. A software driver computes on that core.
 *
 * @param immediate does the rest: callbacks that are JavaScript
 */
export function immediateWithPauses(
  immediate: Schedule,
  later: (poll: () => void, ms: number) => unknown = setTimeout,
): Schedule {
  let polling = false;
  let begun = 0;
  return (callback, ...given) => {
    if (given.length > 0 || !isNative(callback)) return immediate(callback, ...given);
    if (!polling) begun = performance.now();
    const poll = () => {
      polling = true;
      try {
        callback();
      } finally {
        polling = false;
      }
    };
    return performance.now() - begun < eager ? immediate(poll) : later(poll, pause);
  };
}

let patient = false;

/** Leaves the cores to a software driver while this process waits for it. */
export function pollWithPauses(): void {
  if (patient) return;
  patient = true;
  const { setImmediate } = globalThis as unknown as { setImmediate: Schedule };
  const paused = immediateWithPauses(setImmediate);
  // What hangs on it, as its form for `util.promisify`.
  Object.defineProperties(paused, Object.getOwnPropertyDescriptors(setImmediate));
  Object.assign(globalThis, { setImmediate: paused });
}
