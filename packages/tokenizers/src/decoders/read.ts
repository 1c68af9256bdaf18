import { type Fields, readPart } from '../fields.js';
import { readByteLevelDecoder } from './byte-level.js';
import type { Decoder } from './decoder.js';
import { readSentencePieceDecoder } from './sentencepiece.js';
import {
  readBpeDecoder,
  readByteFallback,
  readCtcDecoder,
  readFuse,
  readMetaspaceDecoder,
  readReplaceDecoder,
  readStripDecoder,
  readWordPieceDecoder,
} from './simple.js';

const readers: Readonly<Record<string, (fields: Fields) => Decoder>> = {
  BPEDecoder: readBpeDecoder,
  ByteFallback: readByteFallback,
  ByteLevel: readByteLevelDecoder,
  CTC: readCtcDecoder,
  Fuse: readFuse,
  Metaspace: readMetaspaceDecoder,
  Replace: readReplaceDecoder,
  SentencePiece: readSentencePieceDecoder,
  Sequence: readSequence,
  Strip: readStripDecoder,
  WordPiece: readWordPieceDecoder,
};

/**
 * Reads a `decoder`.
 *
 * @throws TokenizerError naming a part that is not known, or a field that cannot be used
 */
export function readDecoder(value: unknown, path: string): Decoder | undefined {
  return readPart(value, path, readers);
}

function readSequence(fields: Fields): Decoder {
  const parts = fields.objects('decoders').map((part) => readDecoder(part.json, part.path)!);
  return {
    decode: (tokens, room) => parts.reduce((texts, part) => part.decode(texts, room), [...tokens]),
  };
}
