import { type Fields, readPart } from '../fields.js';
import { readBertNormalizer } from './bert.js';
import type { Normalizer } from './normalizer.js';
import { readPrecompiled } from './precompiled.js';
import { readSentencePieceNormalizer } from './sentencepiece.js';
import {
  readByteLevelNormalizer,
  readLowercase,
  readNmt,
  readPrepend,
  readReplace,
  readStrip,
  readStripAccents,
} from './simple.js';
import { unicodeForm } from './unicode.js';

const readers: Readonly<Record<string, (fields: Fields) => Normalizer>> = {
  Bert: readBertNormalizer,
  BertNormalizer: readBertNormalizer,
  ByteLevel: readByteLevelNormalizer,
  Lowercase: readLowercase,
  NFC: () => unicodeForm('NFC'),
  NFD: () => unicodeForm('NFD'),
  NFKC: () => unicodeForm('NFKC'),
  NFKD: () => unicodeForm('NFKD'),
  Nmt: readNmt,
  Precompiled: readPrecompiled,
  Prepend: readPrepend,
  Replace: readReplace,
  SentencePiece: readSentencePieceNormalizer,
  Sequence: readSequence,
  Strip: readStrip,
  StripAccents: readStripAccents,
};

/**
 * Reads a `normalizer`.
 *
 * @throws TokenizerError naming a part that is not known, or a field that cannot be used
 */
export function readNormalizer(value: unknown, path: string): Normalizer | undefined {
  return readPart(value, path, readers);
}

function readSequence(fields: Fields): Normalizer {
  const parts = fields.objects('normalizers').map((part) => readNormalizer(part.json, part.path)!);
  return {
    normalize(text) {
      for (const part of parts) part.normalize(text);
    },
  };
}
