import {
  fromSentencePiece,
  fromTiktoken,
  fromVocabTxt,
  Tokenizer,
  trainBpe,
  trainByteLevelBpe,
  trainCharacter,
  trainUnigram,
  trainWordPiece,
} from '@headwise/tokenizers';
import { readTextFile } from '../data/texts.js';
import type { Call } from '../worker/rpc.js';

/** Where a tokenizer comes from. */
export type TokenizerSource = { kind: 'url'; url: string } | { kind: 'file'; file: File };

/** The ways to learn a vocabulary. */
export const tokenizerKinds = ['byte-bpe', 'bpe', 'word-piece', 'unigram', 'character'] as const;
export type TokenizerKind = (typeof tokenizerKinds)[number];

/** What to learn a vocabulary from, and how large it may be. */
export interface TrainingRequest {
  kind: TokenizerKind;
  vocabSize: number;
  text:
    | { kind: 'url'; url: string }
    | { kind: 'file'; file: File }
    | { kind: 'text'; text: string };
}

/**
 * Reads a tokenizer: a `tokenizer.json`, a SentencePiece model, a tiktoken file or a `vocab.txt`.
 *
 * @throws TokenizerError naming the field, what it holds and what was expected
 */
export async function readTokenizer(source: TokenizerSource): Promise<Tokenizer> {
  if (source.kind === 'url') return Tokenizer.fromBytes(await fetched(source.url));
  const { file } = source;
  const bytes = new Uint8Array(await file.arrayBuffer());
  if (bytes.length === 0) throw new Error(`${file.name} is empty: it has 0 bytes`);
  if (file.name.endsWith('.model')) return fromSentencePiece(bytes, file.name);
  if (file.name.endsWith('.tiktoken')) return fromTiktoken(new TextDecoder().decode(bytes));
  if (file.name.endsWith('.txt')) return fromVocabTxt(new TextDecoder().decode(bytes));
  return Tokenizer.fromBytes(bytes, file.name);
}

/** Learns a vocabulary, telling from time to time how far it is. */
export async function trainTokenizer(
  { kind, vocabSize, text }: TrainingRequest,
  { signal, progress }: Call,
): Promise<Tokenizer> {
  const texts = [await textOf(text)];
  let told = 0;
  const options = {
    vocabSize,
    signal,
    onProgress: (done: number, total: number) => {
      if (performance.now() - told < 50 && done < total) return;
      told = performance.now();
      progress({ done, total });
    },
  };
  switch (kind) {
    case 'byte-bpe':
      return trainByteLevelBpe(texts, options);
    case 'bpe':
      return trainBpe(texts, options);
    case 'word-piece':
      return trainWordPiece(texts, options);
    case 'unigram':
      return trainUnigram(texts, options);
    case 'character':
      return trainCharacter(texts, { signal });
  }
}

async function textOf(text: TrainingRequest['text']): Promise<string> {
  if (text.kind === 'text') return text.text;
  if (text.kind === 'file') return readTextFile(text.file, text.file.name);
  return new TextDecoder().decode(await fetched(text.url));
}

async function fetched(url: string): Promise<Uint8Array> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: the server answered ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}
