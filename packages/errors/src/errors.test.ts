import { expect, test, vi } from 'vitest';
import { HeadwiseError, isHeadwiseError } from './errors.js';

class WrongThing extends HeadwiseError {
  override readonly name = 'WrongThing';
}

test('an error is told from others, also by another copy of the package', async () => {
  const error = new WrongThing('thing is 3; expected 2');
  expect(error).toBeInstanceOf(Error);
  expect([String(error), Object.keys(error)]).toEqual([
    'WrongThing: thing is 3; expected 2',
    ['name'],
  ]);
  vi.resetModules();
  const other = await import('./errors.js');
  expect(error instanceof other.HeadwiseError).toBe(false);
  expect(other.isHeadwiseError(error)).toBe(true);
  for (const value of [new Error('x'), { name: 'WrongThing' }, 'text', null, undefined]) {
    expect(isHeadwiseError(value)).toBe(false);
  }
});
