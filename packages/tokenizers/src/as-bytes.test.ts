import { expect, test } from 'vitest';
import type { Bytes } from './as-bytes.js';
import { fromSentencePiece } from './formats/sentencepiece.js';
import { fromTiktoken } from './formats/tiktoken.js';
import { fromVocabTxt } from './formats/vocab-txt.js';
import { bytesOf } from './goldens/read.node.js';
import { Tokenizer } from './tokenizer.js';
import { trainByteLevelBpe } from './training/train-bpe.js';

/** The same bytes in everything that holds bytes, at odd offsets where there are offsets. */
function containers(bytes: Uint8Array): [name: string, Bytes][] {
  const moved = (buffer: ArrayBufferLike, offset: number) => {
    new Uint8Array(buffer).set(bytes, offset);
    return buffer;
  };
  const odd = (offset: number) => moved(new ArrayBuffer(bytes.length + offset), offset);
  return [
    ['Buffer', Buffer.concat([Buffer.of(7), bytes]).subarray(1)],
    ['Uint8Array', new Uint8Array(odd(3), 3)],
    ['DataView', new DataView(odd(5), 5)],
    ['ArrayBuffer', odd(0)],
    ['SharedArrayBuffer', moved(new SharedArrayBuffer(bytes.length), 0)],
    ['shared at 1', new Uint8Array(moved(new SharedArrayBuffer(bytes.length + 1), 1), 1)],
  ];
}

const utf8 = (text: string) => new TextEncoder().encode(text);

const trained = await trainByteLevelBpe(['the whale 🐋, the white whale'], { vocabSize: 270 });
const text = 'the whale 🐋';

test.each(containers(utf8(JSON.stringify(trained))))('tokenizer.json in a %s', (_, bytes) => {
  expect(Tokenizer.fromBytes(bytes).encode(text).ids).toEqual(trained.encode(text).ids);
});

const model = bytesOf('bpe.model');

test.each(containers(model))('a SentencePiece model in a %s', (_, bytes) => {
  const wanted = fromSentencePiece(Uint8Array.from(model)).encode(text).ids;
  expect(fromSentencePiece(bytes).encode(text).ids).toEqual(wanted);
});

test.each(containers(utf8('YQ== 0\n4Q== 1\nYeE= 2\n')))('tiktoken ranks in a %s', (_, bytes) => {
  expect(fromTiktoken(bytes).encode('aaa').ids).toEqual([0, 0, 0]);
});

test('what holds no bytes, or not UTF-8, is refused by name', () => {
  expect(() => Tokenizer.fromBytes('{}' as never)).toThrow('tokenizer.json: is String; expected a');
  expect(() => fromSentencePiece(null as never)).toThrow('SentencePiece model: is Null; expected');
  expect(() => fromVocabTxt(7 as never)).toThrow('vocab.txt: is Number; expected');
  expect(() => fromVocabTxt(Uint8Array.of(0xff))).toThrow('vocab.txt: is not UTF-8');
});
