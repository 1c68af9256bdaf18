/** The most time between two readings, ms: tokens that come in larger bursts are seen to stutter. */
const longestBurst = 100;

/**
 * The number of tokens to draw before one reading, so that readings take at most a tenth of the time.
 *
 * @param stepMs the time of one token without the reading
 * @param readMs the latency of a reading on an idle device
 * @param most an upper bound
 */
export function runAheadFor(stepMs: number, readMs: number, most: number): number {
  const step = Math.max(stepMs, 1e-3);
  const wanted = Math.ceil(readMs / (0.1 * step));
  return Math.max(1, Math.min(wanted, Math.floor(longestBurst / step), most));
}
