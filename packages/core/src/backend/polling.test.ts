import { expect, test } from 'vitest';
import { immediateWithPauses } from './polling.node.js';

/** A function of native code, as Dawn gives it. */
function nativeOf(f: () => void): () => void {
  // A bound function is native, but for its name.
  const bound = f.bind(undefined);
  Object.defineProperty(bound, 'name', { value: '' });
  return bound;
}

test('polls of native code pause after a millisecond; functions of JavaScript never do', async () => {
  const calls: string[] = [];
  const schedule = immediateWithPauses(
    (callback, ...given) => {
      calls.push('immediate');
      return setImmediate(callback, ...given);
    },
    (callback) => {
      calls.push('later');
      return setTimeout(callback, 1);
    },
  );
  await new Promise<void>((done) => {
    const begun = performance.now();
    const poll = nativeOf(() => (performance.now() - begun > 20 ? done() : schedule(poll)));
    schedule(poll);
  });
  expect(calls[0]).toBe('immediate');
  const first = calls.indexOf('later');
  expect(first).toBeGreaterThan(0);
  expect(calls.slice(first).every((how) => how === 'later')).toBe(true);

  // A new wait begins eagerly again.
  calls.length = 0;
  await new Promise<void>((done) => schedule(nativeOf(done)));
  expect(calls).toEqual(['immediate']);

  calls.length = 0;
  const given = await new Promise((done) => {
    schedule((...values) => done(values), 1, 2);
  });
  await new Promise<void>((done) => {
    schedule(() => done());
  });
  expect(given).toEqual([1, 2]);
  expect(calls).toEqual(['immediate', 'immediate']);
});
