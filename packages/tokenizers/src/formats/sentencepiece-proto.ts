import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { TokenizerError } from '../errors.js';

/** What a piece is. */
export type PieceType = 'normal' | 'unknown' | 'control' | 'user-defined' | 'unused' | 'byte';

/** The parts of a SentencePiece model that encoding needs. */
export interface SentencePieceModel {
  pieces: { piece: string; score: number; type: PieceType }[];
  type: 'unigram' | 'bpe' | 'word' | 'char';
  byteFallback: boolean;
  unknownId: number;
  charsmap: Uint8Array;
  addDummyPrefix: boolean;
  removeExtraWhitespaces: boolean;
  treatWhitespaceAsSuffix: boolean;
  /** What the unknown token decodes to. */
  unknownSurface: string;
}

const pieceTypes: readonly (PieceType | undefined)[] = [
  undefined,
  'normal',
  'unknown',
  'control',
  'user-defined',
  'unused',
  'byte',
];
const modelTypes = [undefined, 'unigram', 'bpe', 'word', 'char'] as const;

/**
 * Reads a SentencePiece `.model`, a `ModelProto`.
 *
 * @throws TokenizerError where the bytes are not such a model
 * @see https://github.com/google/sentencepiece/blob/master/src/sentencepiece_model.proto
 */
export function readSentencePieceModel(bytes: Uint8Array, name: string): SentencePieceModel {
  const model: SentencePieceModel = {
    pieces: [],
    type: 'unigram',
    byteFallback: false,
    unknownId: 0,
    charsmap: new Uint8Array(),
    addDummyPrefix: true,
    removeExtraWhitespaces: true,
    treatWhitespaceAsSuffix: false,
    unknownSurface: ' ⁇ ',
  };
  try {
    readMessage(new BinaryReader(bytes), {
      1: (reader) => model.pieces.push(readPiece(reader.bytes())),
      2: (reader) => readTrainerSpec(reader.bytes(), model),
      3: (reader) => readNormalizerSpec(reader.bytes(), model),
    });
  } catch (error) {
    throw new TokenizerError(`${name}: is not a SentencePiece model: ${(error as Error).message}`);
  }
  if (model.pieces.length === 0) throw new TokenizerError(`${name}: has no pieces`);
  return model;
}

/** Reads the fields of a message that there is a reader for, by number. */
function readMessage(
  reader: BinaryReader,
  fields: Readonly<Record<number, (reader: BinaryReader) => unknown>>,
): void {
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    const read = fields[field];
    if (read) read(reader);
    else reader.skip(wireType, wireType === WireType.StartGroup ? field : undefined);
  }
}

function readPiece(bytes: Uint8Array): SentencePieceModel['pieces'][number] {
  const found = { piece: '', score: 0, type: 'normal' as PieceType };
  readMessage(new BinaryReader(bytes), {
    1: (reader) => {
      found.piece = reader.string();
    },
    2: (reader) => {
      found.score = reader.float();
    },
    3: (reader) => {
      found.type = known(pieceTypes, reader.int32(), 'type of piece');
    },
  });
  return found;
}

function readTrainerSpec(bytes: Uint8Array, model: SentencePieceModel): void {
  readMessage(new BinaryReader(bytes), {
    3: (reader) => {
      model.type = known(modelTypes, reader.int32(), 'model type');
    },
    24: (reader) => {
      model.treatWhitespaceAsSuffix = reader.bool();
    },
    44: (reader) => {
      model.unknownSurface = reader.string();
    },
    35: (reader) => {
      model.byteFallback = reader.bool();
    },
    40: (reader) => {
      model.unknownId = reader.int32();
    },
  });
}

function readNormalizerSpec(bytes: Uint8Array, model: SentencePieceModel): void {
  readMessage(new BinaryReader(bytes), {
    2: (reader) => {
      model.charsmap = reader.bytes();
    },
    3: (reader) => {
      model.addDummyPrefix = reader.bool();
    },
    4: (reader) => {
      model.removeExtraWhitespaces = reader.bool();
    },
  });
}

function known<T>(names: readonly (T | undefined)[], value: number, what: string): T {
  const name = names[value];
  if (name === undefined) throw new TokenizerError(`${what} ${value} is not known`);
  return name;
}
