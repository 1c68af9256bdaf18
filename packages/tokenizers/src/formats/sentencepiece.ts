import { asBytes, type Bytes } from '../as-bytes.js';
import { TokenizerError } from '../errors.js';
import { Tokenizer } from '../tokenizer.js';
import { bpeJson, emptyFrame, specialTokenJson } from './frames.js';
import { readSentencePieceModel, type SentencePieceModel } from './sentencepiece-proto.js';
import { type Split, splitsOf } from './splits.js';

/**
 * Makes a tokenizer of a SentencePiece `.model`, Unigram or BPE, as Hugging Face's transformers converts them.
 *
 * @throws TokenizerError where it is no such model
 * @see Kudo and Richardson 2018, https://arxiv.org/abs/1808.06226
 */
export function fromSentencePiece(bytes: Bytes, name = 'SentencePiece model'): Tokenizer {
  const model = readSentencePieceModel(asBytes(bytes, name), name);
  const parts = model.type === 'unigram' ? unigramParts(model) : bpeParts(model, name);
  return Tokenizer.fromJSON({ ...emptyFrame(), added_tokens: addedTokens(model), ...parts }, name);
}

function addedTokens({ pieces }: SentencePieceModel): Record<string, unknown>[] {
  return pieces.flatMap(({ piece, type }, id) => {
    if (type === 'unknown' || type === 'control') return [specialTokenJson(piece, id)];
    return type === 'user-defined' ? [{ ...specialTokenJson(piece, id), special: false }] : [];
  });
}

function unigramParts(model: SentencePieceModel): Record<string, unknown> {
  const metaspace = {
    type: 'Metaspace',
    replacement: '▁',
    prepend_scheme: model.addDummyPrefix ? 'always' : 'never',
    split: true,
  };
  const normalizers = [
    ...charsmapParts(model),
    ...(model.removeExtraWhitespaces
      ? [
          { type: 'Strip', strip_left: false, strip_right: true },
          { type: 'Replace', pattern: { Regex: ' {2,}' }, content: '▁' },
        ]
      : []),
  ];
  return {
    normalizer: normalizers.length > 0 ? { type: 'Sequence', normalizers } : null,
    pre_tokenizer: metaspace,
    decoder: model.byteFallback
      ? { type: 'Sequence', decoders: [{ type: 'ByteFallback' }, metaspace] }
      : metaspace,
    model: {
      type: 'Unigram',
      unk_id: model.unknownId,
      byte_fallback: model.byteFallback,
      vocab: model.pieces.map(({ piece, score }) => [piece, score]),
    },
  };
}

function bpeParts(model: SentencePieceModel, name: string): Record<string, unknown> {
  if (model.type !== 'bpe') {
    throw new TokenizerError(`${name}: the model type is ${model.type}; expected unigram or bpe`);
  }
  const space = { type: 'Replace', pattern: { String: ' ' }, content: '▁' };
  const blank = { type: 'Replace', pattern: { String: '▁' }, content: ' ' };
  const prepends = model.addDummyPrefix;
  return {
    normalizer: {
      type: 'Sequence',
      normalizers: [
        ...charsmapParts(model),
        ...(model.removeExtraWhitespaces
          ? [
              { type: 'Strip', strip_left: true, strip_right: true },
              { type: 'Replace', pattern: { Regex: ' {2,}' }, content: ' ' },
            ]
          : []),
        ...(prepends ? [{ type: 'Prepend', prepend: '▁' }] : []),
        space,
      ],
    },
    decoder: {
      type: 'Sequence',
      decoders: [
        blank,
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        ...(prepends ? [{ type: 'Strip', content: ' ', start: 1, stop: 0 }] : []),
      ],
    },
    model: bpeJson(
      Object.fromEntries(model.pieces.map(({ piece }, id) => [piece, id])),
      mergesOf(model),
      {
        unk_token: model.pieces[model.unknownId]?.piece ?? null,
        fuse_unk: true,
        byte_fallback: model.byteFallback,
      },
    ),
  };
}

/** Every way to make a piece of two others, the pieces of higher score first. */
function mergesOf({ pieces }: SentencePieceModel): Split[] {
  const ids = new Map(pieces.map(({ piece }, id) => [piece, id]));
  const merges = pieces.flatMap(({ piece, score, type }) =>
    type === 'normal'
      ? splitsOf([...piece], (part) => ids.get(part)).map((split) => ({ split, score }))
      : [],
  );
  const length = (text: string) => [...text].length;
  return merges
    .sort(
      (a, b) =>
        b.score - a.score ||
        length(b.split[0]) - length(a.split[0]) ||
        length(b.split[1]) - length(a.split[1]),
    )
    .map(({ split }) => split);
}

function charsmapParts({ charsmap }: SentencePieceModel): Record<string, unknown>[] {
  if (charsmap.length === 0) return [];
  let binary = '';
  for (const byte of charsmap) binary += String.fromCharCode(byte);
  return [{ type: 'Precompiled', precompiled_charsmap: btoa(binary) }];
}
