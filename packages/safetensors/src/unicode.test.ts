import fc from 'fast-check';
import { expect, test } from 'vitest';
import { byCodePoint } from './unicode.js';

test('the order of code points is the order of UTF-8 bytes', () => {
  const name = fc.string({ unit: 'binary', maxLength: 4 });
  fc.assert(
    fc.property(name, name, (a, b) => {
      expect(Math.sign(byCodePoint(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }),
    { examples: [['\uffff', '\u{1f600}']] },
  );
});
