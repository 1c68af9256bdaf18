import { ParamStore } from '@headwise/core';
import { Dropout, RMSNorm } from '@headwise/layers';
import { AlibiPosition, LearnedPosition, RotaryPosition } from '@headwise/positions';
import { expect, test } from 'vitest';
import { CrossAttention } from './cross.js';
import { MultiHeadAttention, type MultiHeadAttentionOptions } from './multi-head.js';
import { FusedProjection, KeyValueProjection } from './projections.js';

const params = new ParamStore();
const made = (given: Partial<Record<keyof MultiHeadAttentionOptions, unknown>>) => () =>
  new MultiHeadAttention(new ParamStore(), { dim: 6, heads: 2, ...given } as never);

test.each<[given: Parameters<typeof made>[0], message: string]>([
  [
    { position: RotaryPosition },
    'attention: position is class RotaryPosition; expected a position',
  ],
  [
    { position: new LearnedPosition(params, { maxLength: 4, dim: 6 }) },
    'attention: position is an instance of LearnedPosition; expected a position within attention, such as new RotaryPosition({ headDim, maxLength }); this one is added to the embeddings before the blocks',
  ],
  [{ position: 'rotary' }, "attention: position is 'rotary'; expected a position"],
  [
    { projection: new AlibiPosition({ heads: 2 }) },
    'attention: projection is an instance of AlibiPosition; expected a class',
  ],
  [
    { projection: RMSNorm },
    'attention: projection is class RMSNorm; expected a class of projections',
  ],
  [{ score: 'dot' }, "attention: score is 'dot'; expected a function that makes one"],
  [
    { qkNorm: new RMSNorm(params.at('n'), { dim: 3 }) },
    'attention: qkNorm is an instance of RMSNorm; expected a function',
  ],
  [{ qkNorm: () => 3 }, 'attention: what qkNorm makes is 3; expected a layer'],
  [{ norm: RMSNorm }, 'attention: norm is class RMSNorm; expected a layer'],
  [{ dropout: 0.1 }, 'attention: dropout is 0.1; expected a layer'],
  [{ dropout: Dropout }, 'attention: dropout is class Dropout; expected a layer'],
])('a part that does not fit is named: %o', (given, message) => {
  expect(made(given)).toThrow(message);
});

test('cross-attention takes projections of two sequences, by name', () => {
  const crossed = (projection: unknown) => () =>
    new CrossAttention(new ParamStore(), { dim: 6, heads: 2, projection } as never);
  expect(crossed(FusedProjection)).toThrow(
    'attention: projection is class FusedProjection; expected a class of projections of two sequences, such as SeparateProjection',
  );
  expect(crossed('fused')).toThrow("attention: projection is 'fused'; expected a class");
  expect(
    () =>
      new CrossAttention(new ParamStore(), {
        ...{ dim: 6, heads: 2, bias: { k: false }, projection: KeyValueProjection },
      }),
  ).toThrow('attention: one map has a bias or none; got k false, v true');
});

test('anything but a ParamStore is refused by name', () => {
  for (const Kind of [MultiHeadAttention, CrossAttention]) {
    expect(() => new Kind({ dim: 6, heads: 2 } as never, {} as never)).toThrow(
      'attention: params is an object; expected a ParamStore',
    );
  }
});
