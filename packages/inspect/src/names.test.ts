import { expect, test } from 'vitest';
import { nameMatches } from './names.js';

test.each([
  ['blocks.3.attn.q', 'blocks.3.attn.q', true],
  ['blocks.*.attn.q', 'blocks.3.attn.q', true],
  ['blocks.*.q', 'blocks.3.attn.q', false],
  ['blocks.**.q', 'blocks.3.attn.q', true],
  ['**.q', 'q', true],
  ['**.q', 'blocks.3.attn.q', true],
  ['**', 'blocks.3.attn.q', true],
  ['blocks.**', 'blocks', true],
  ['blocks.*', 'blocks', false],
  ['*', 'logits', true],
  ['*', 'blocks.0.mid', false],
  ['**.q', 'blocks.3.attn.qq', false],
  ['a.b', 'axb', false],
  ['**.a.**.b', 'x.a.a.y.b', true],
])('%s and %s: %s', (pattern, name, expected) => {
  expect(nameMatches(pattern, name)).toBe(expected);
});
