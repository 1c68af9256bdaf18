import { join } from 'node:path';
import { type GgufTensor, tokenizerMetadata } from '@headwise/gguf';
import { trainByteLevelBpe, trainCharacter, trainUnigram } from '@headwise/tokenizers';
import { describe, expect, test } from 'vitest';
import { createModel } from '../model.js';
import { loadModel } from '../node.js';
import { ggufArchitecture, ggufModel } from './gguf-model.js';

const golden = (name: string) => join(import.meta.dirname, '../../../parity/goldens', name);
const shapes = (tensors: Readonly<Record<string, GgufTensor>>) =>
  Object.fromEntries(
    Object.entries(tensors).map(([key, { type, shape }]) => [key, `${type} ${shape}`]),
  );

/** A LLaMA with two heads of four channels, whose rows are numbered. */
const llama = (settings = {}) =>
  createModel({
    model_type: 'llama',
    vocab_size: 7,
    hidden_size: 8,
    intermediate_size: 3,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    num_key_value_heads: 1,
    tie_word_embeddings: true,
    ...settings,
  });

test('queries and keys have the channels that are rotated together as neighbours, head by head', async () => {
  const model = llama();
  const q = model.params.named()['blocks.0.attn.qProj.weight']!;
  q.assign(q.mul(0).add(Array.from({ length: 8 }, (_, i) => [i])) as typeof q);
  const { tensors } = ggufModel(model, 'f32');
  const values = await tensors['blk.0.attn_q.weight']!.values();
  expect(Array.from({ length: 8 }, (_, row) => values[row * 8])).toEqual([0, 2, 1, 3, 4, 6, 5, 7]);
  model.params.dispose();
});

test('of GPT-2, matrices are turned, and tables are not', async () => {
  const model = await loadModel(golden('gpt2'));
  const { tensors, metadata } = ggufModel(model, 'f32');
  const up = model.params.named()['blocks.0.mlp.up.weight']!;
  expect(tensors['blk.0.ffn_up.weight']!.shape).toEqual([...up.shape].reverse());
  const turned = await tensors['blk.0.ffn_up.weight']!.values();
  expect(turned[1]).toBe((await up.data())[up.shape[1]!]);
  expect(tensors['token_embd.weight']!.shape).toEqual(model.params.named()['tokens.weight']!.shape);
  expect(metadata['gpt2.embedding_length']).toEqual(['u32', up.shape[0]]);
  model.params.dispose();
});

test('matrices have the type that is asked for, or the widest that takes their rows', () => {
  const model = llama({ hidden_size: 256, intermediate_size: 32, vocab_size: 5 });
  const { tensors } = ggufModel(model, 'q4_k');
  expect(shapes(tensors)).toMatchObject({
    'token_embd.weight': 'q8_0 5,256',
    'blk.0.attn_q.weight': 'q4_k 256,256',
    'blk.0.ffn_down.weight': 'q8_0 256,32',
    'blk.0.attn_norm.weight': 'f32 256',
  });
  model.params.dispose();
});

test.each([
  'llama',
  'llama-gqa-llama3',
  'mistral',
  'qwen2',
  'falcon-7b',
  'falcon-40b',
  'bloom',
  'gpt2',
])('every parameter of %s has a place of its own', async (name) => {
  const model = await loadModel(golden(name));
  const { tensors } = ggufModel(model, 'f16');
  const beside = name === 'llama-gqa-llama3' ? 1 : 0;
  expect(Object.keys(tensors).length).toBe(Object.keys(model.params.named()).length + beside);
  model.params.dispose();
});

const refused: [config: Record<string, unknown>, message: string][] = [
  [{ model_type: 't5' }, "'model_type' is 't5'; GGUF is written for gpt2, bloom, falcon"],
  [
    { model_type: 'gpt2', activation_function: 'relu' },
    "'activation_function' is \"relu\"; llama.cpp computes 'gpt2' with",
  ],
  [
    { model_type: 'falcon', alibi: true, bias: true },
    "'bias' is true; llama.cpp computes 'falcon' with false alone",
  ],
];
test.each(refused)('%o is refused', (config, message) => {
  expect(() => ggufArchitecture(String(config.model_type), config)).toThrow(message);
});

describe('tokenizers', () => {
  const text = ['Call me Ishmael. Some years ago, never mind how long precisely.'];
  const metadataOf = (tokenizer: { toJSON(): Record<string, unknown> }, config = {}) =>
    tokenizerMetadata({ tokenizer: tokenizer.toJSON(), config, vocabSize: 300 });

  test('byte-level BPE has its merges, the name of its pattern, and an end that no text has', async () => {
    const tokenizer = await trainByteLevelBpe(text, { vocabSize: 260 });
    const metadata = metadataOf(tokenizer);
    const never = tokenizer.tokenToId('ÿ');
    expect(metadata).toMatchObject({
      'tokenizer.ggml.model': ['string', 'gpt2'],
      'tokenizer.ggml.pre': ['string', 'gpt-2'],
      'tokenizer.ggml.eos_token_id': ['u32', never],
      'tokenizer.ggml.add_bos_token': ['bool', false],
    });
    const [, tokens] = metadata['tokenizer.ggml.tokens'] as ['string[]', string[]];
    expect([tokens.length, tokens[299]]).toEqual([300, '[PAD299]']);
    expect(metadataOf(tokenizer, { eos_token_id: [3, 4] })['tokenizer.ggml.eos_token_id']).toEqual([
      'u32',
      3,
    ]);
  });

  test('Unigram has the scores of its pieces', async () => {
    const tokenizer = await trainUnigram(text, { vocabSize: 60 });
    const { model } = tokenizer.toJSON() as { model: { vocab: [string, number][] } };
    const { 'tokenizer.ggml.scores': scores, ...others } = metadataOf(tokenizer);
    expect(others['tokenizer.ggml.model']).toEqual(['string', 't5']);
    expect(others['tokenizer.ggml.unknown_token_id']).toEqual(['u32', 0]);
    expect((scores![1] as Float32Array)[5]).toBeCloseTo(model.vocab[5]![1], 5);
  });

  test('what llama.cpp cannot run is refused by name', async () => {
    expect(() => metadataOf({ toJSON: () => ({ model: { type: 'WordPiece' } }) })).toThrow(
      "of the kind 'WordPiece'",
    );
    await expect(trainCharacter(text).then((one) => metadataOf(one))).rejects.toThrow(
      "'BPE' on characters",
    );
    const json = (await trainByteLevelBpe(text, { vocabSize: 260 })).toJSON();
    const other = { ...json, pre_tokenizer: { type: 'Whitespace' } };
    expect(() => metadataOf({ toJSON: () => other })).toThrow(
      'has no pre-tokenizer [{"type":"Whitespace"}]',
    );
    expect(() => tokenizerMetadata({ tokenizer: json, config: {}, vocabSize: 9 })).toThrow(
      'the model has 9 tokens',
    );
  });
});
