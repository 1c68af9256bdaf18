import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findDuplicateKey } from './json.js';

test.each([
  ['{"a":1,"a":2}', 'a'],
  ['{"a":1,"\\u0061":2}', 'a'],
  ['{"a":{"b":1, "b" :2}}', 'b'],
  ['{"a":[{"b":"}"},{"c":0,"c":0}]}', 'c'],
  ['{"":0,"":0}', ''],
  ['{"x\\\\":0,"x\\"":0,"x\\\\":0}', 'x\\'],
  ['{"a":["a","a"],"b":"a"}', undefined],
  ['{"a":{"a":{"a":1}},"b":[{"a":1},{"a":1}]}', undefined],
  ['{"a":",\\"a\\":"}', undefined],
])('%s repeats the key %j', (json, key) => {
  expect(findDuplicateKey(json)).toBe(key);
});

test('no key of written JSON repeats, until one is put in twice', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.string(), (value, key) => {
      const json = JSON.stringify(value, null, 1);
      expect(findDuplicateKey(json)).toBeUndefined();
      const name = JSON.stringify(key);
      expect(findDuplicateKey(`[0,{${name}:${json},${name}:${json}}]`)).toBe(key);
    }),
  );
});
