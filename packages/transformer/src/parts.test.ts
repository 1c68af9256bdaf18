import { MultiHeadAttention } from '@headwise/attention';
import { type Layer, ParamStore } from '@headwise/core';
import {
  Embedding,
  FeedForward,
  GatedFeedForward,
  LayerNorm,
  Linear,
  RMSNorm,
} from '@headwise/layers';
import { describe, expect, test } from 'vitest';
import { PostNormCrossBlock, PreNormCrossBlock } from './cross-block.js';
import { CrossDecoder } from './cross-decoder.js';
import { Decoder } from './decoder.js';
import { Encoder } from './encoder.js';
import { NormedStreamBlock } from './normed-stream-block.js';
import { ParallelBlock } from './parallel-block.js';
import { PostNormBlock } from './post-norm-block.js';
import { PreNormBlock } from './pre-norm-block.js';

const dim = 6;
const partsAt = (p: ParamStore) => ({
  norm1: new LayerNorm(p.at('norm1'), { dim }),
  mix: new MultiHeadAttention(p.at('attn'), { dim, heads: 2 }),
  norm2: new RMSNorm(p.at('norm2'), { dim }),
  mlp: new FeedForward(p.at('mlp'), { dim, hidden: 7 }),
});
const blocks = { PreNormBlock, PostNormBlock, NormedStreamBlock, ParallelBlock };
const crossBlocks = { PreNormCrossBlock, PostNormCrossBlock };
const plain: Layer = { forward: (x) => x };

describe.each(Object.entries({ ...blocks, ...crossBlocks }))('%s', (name, Block) => {
  const isCross = name in crossBlocks;
  const all = (p: ParamStore) => ({
    ...partsAt(p),
    ...(isCross ? { crossNorm: plain, cross: plain as never } : {}),
  });
  const made = (parts: object) => new Block(parts as never);

  test('takes its path from its parts', () => {
    const params = new ParamStore();
    const at = params.at('blocks').at(3);
    expect(made(all(at)).path).toBe('blocks.3');
    expect(made({ ...all(at), path: 'own' }).path).toBe('own');
    expect(made({ ...all(at), norm1: plain, norm2: plain, mix: plain }).path).toBe('blocks.3');
    expect(made({ ...all(at), norm1: plain, norm2: plain, mix: plain, mlp: plain }).path).toBe('');
    params.dispose();
  });

  test.each<[given: unknown, said: string]>([
    [LayerNorm, 'class LayerNorm'],
    [() => plain, 'a function'],
    [null, 'null'],
    ['gelu', "'gelu'"],
    [{ dim }, 'an object'],
    [new ParamStore(), 'an instance of ParamStore'],
  ])('names a part that is not a layer: %o', (given, said) => {
    const params = new ParamStore();
    for (const part of ['norm1', 'mix', 'mlp', ...(isCross ? ['crossNorm', 'cross'] : [])]) {
      expect(() => made({ ...all(params), [part]: given })).toThrow(
        `${name}: ${part} is ${said}; expected a layer`,
      );
    }
    params.dispose();
  });
});

test('stacks name a block that is not a block', () => {
  for (const [name, Stack] of Object.entries({ Decoder, Encoder, CrossDecoder })) {
    const made = (parts: object) => () => new Stack(parts as never);
    expect(made({ blocks: [plain, PreNormBlock] })).toThrow(
      `${name}: blocks[1] is class PreNormBlock; expected a layer`,
    );
    expect(made({ blocks: plain })).toThrow(`${name}: blocks is an object; expected a list`);
    expect(made({ blocks: [plain], norm: LayerNorm })).toThrow(`${name}: norm is class LayerNorm`);
  }
});

test('layers name a wrong ParamStore and invalid sizes', () => {
  for (const Kind of [Embedding, FeedForward, GatedFeedForward, LayerNorm, Linear, RMSNorm]) {
    expect(() => new Kind({ dim } as never, {} as never)).toThrow(
      `${Kind.name}: params is an object; expected a ParamStore`,
    );
  }
  const params = new ParamStore();
  expect(() => new LayerNorm(params.at('a'), {} as never)).toThrow(
    "parameter 'a.weight' has shape [undefined]; expected whole numbers of at least 1",
  );
  expect(() => new Linear(params.at('b'), { in: 2.5, out: 3 })).toThrow(
    "'b.weight' has shape [2.5, 3]",
  );
  expect(() => new FeedForward(params.at('c'), { dim, hidden: 7, dropout: 0.1 as never })).toThrow(
    'FeedForward: dropout is 0.1; expected a layer',
  );
  params.dispose();
});
