import { expect, test } from 'vitest';
import { keyOf, philox } from './philox.js';

// The known answers of philox4x32-10 in Random123 1.14's kat_vectors.
const answers = [
  [
    '00000000 00000000 00000000 00000000',
    '00000000 00000000',
    '6627e8d5 e169c58d bc57ac4c 9b00dbd8',
  ],
  [
    'ffffffff ffffffff ffffffff ffffffff',
    'ffffffff ffffffff',
    '408f276d 41c83b0e a20bc7c6 6d5451fd',
  ],
  [
    '243f6a88 85a308d3 13198a2e 03707344',
    'a4093822 299f31d0',
    'd16cfe09 94fdcceb 5001e420 24126ea1',
  ],
] as const;

const words = (text: string) => text.split(' ').map((word) => Number.parseInt(word, 16));

for (const [counter, key, expected] of answers) {
  test(`philox of ${counter} gives Random123's known answer`, () => {
    const state = Uint32Array.from(words(counter));
    philox(state, words(key) as [number, number]);
    expect([...state]).toEqual(words(expected));
  });
}

test('every bit of a seed counts', () => {
  expect(keyOf(2 ** 32 + 5)).toEqual([5, 1]);
  expect(keyOf(0xffffffff)).toEqual([0xffffffff, 0]);
});
