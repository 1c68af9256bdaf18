import { type Fields, readPart } from '../fields.js';
import { readByteLevel } from './byte-level.js';
import { readMetaspace } from './metaspace.js';
import type { PreTokenizer } from './pre-tokenizer.js';
import {
  readBertPreTokenizer,
  readCharDelimiterSplit,
  readDigits,
  readFixedLength,
  readPunctuation,
  readWhitespace,
  readWhitespaceSplit,
} from './simple.js';
import { readSplit } from './split.js';
import { readUnicodeScripts } from './unicode-scripts.js';

const readers: Readonly<Record<string, (fields: Fields) => PreTokenizer>> = {
  BertPreTokenizer: readBertPreTokenizer,
  ByteLevel: readByteLevel,
  CharDelimiterSplit: readCharDelimiterSplit,
  Digits: readDigits,
  FixedLength: readFixedLength,
  Metaspace: readMetaspace,
  Punctuation: readPunctuation,
  Sequence: readSequence,
  Split: readSplit,
  UnicodeScripts: readUnicodeScripts,
  Whitespace: readWhitespace,
  WhitespaceSplit: readWhitespaceSplit,
};

/**
 * Reads a `pre_tokenizer`.
 *
 * @throws TokenizerError naming a part that is not known, or a field that cannot be used
 */
export function readPreTokenizer(value: unknown, path: string): PreTokenizer | undefined {
  return readPart(value, path, readers);
}

function readSequence(fields: Fields): PreTokenizer {
  const parts = fields
    .objects('pretokenizers')
    .map((part) => readPreTokenizer(part.json, part.path)!);
  return {
    split(pieces) {
      for (const part of parts) part.split(pieces);
    },
  };
}
