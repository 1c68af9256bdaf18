import { asBytes, type Bytes } from '../as-bytes.js';
import { TokenizerError } from '../errors.js';
import { mismatch } from '../fields.js';
import { Tokenizer } from '../tokenizer.js';
import { bpeJson, emptyFrame, specialTokenJson } from './frames.js';
import { readSentencePieceModel, type SentencePieceModel } from './sentencepiece-proto.js';
import { type Split, splitsOf } from './splits.js';

/** How a SentencePiece model is read. */
export interface SentencePieceOptions {
  /**
   * `transformers`: as Hugging Face's transformers converts it, with the parts of a `tokenizer.json` that its libraries
   * read: `<s>` in a text becomes its control id, and each text after a user-defined symbol begins with `▁`. Default
   * `sentencepiece`: the ids and texts of SentencePiece itself.
   */
  as?: 'sentencepiece' | 'transformers' | undefined;
}

/**
 * Makes a tokenizer of a SentencePiece `.model`, Unigram or BPE, that encodes and decodes as SentencePiece does.
 *
 * @throws TokenizerError where the bytes are not such a model
 * @see Kudo and Richardson 2018, https://arxiv.org/abs/1808.06226
 */
export function fromSentencePiece(
  bytes: Bytes,
  name = 'SentencePiece model',
  { as = 'sentencepiece' }: SentencePieceOptions = {},
): Tokenizer {
  if (as !== 'sentencepiece' && as !== 'transformers') {
    throw mismatch('as', as, '"sentencepiece" or "transformers"');
  }
  const model = readSentencePieceModel(asBytes(bytes, name), name);
  return Tokenizer.fromJSON(sentencePieceJson(model, name, as), name);
}

/**
 * The `tokenizer.json` that a SentencePiece model stands for.
 *
 * @param as see {@link SentencePieceOptions}
 * @throws TokenizerError for a kind of model that is neither Unigram nor BPE
 */
export function sentencePieceJson(
  model: SentencePieceModel,
  name: string,
  as: 'sentencepiece' | 'transformers',
): Record<string, unknown> {
  const parts = model.type === 'unigram' ? unigramParts(model) : bpeParts(model, name);
  const added = { ...emptyFrame(), added_tokens: addedTokens(model), ...parts };
  return as === 'transformers' ? added : { ...added, ...ownParts(model, parts) };
}

/** The parts with which a text becomes what SentencePiece makes of it. */
function ownParts(
  model: SentencePieceModel,
  parts: Record<string, unknown>,
): Record<string, unknown> {
  const { pieces, type } = model;
  const [charsmap] = charsmapParts(model);
  const ofType = (...types: string[]) => pieces.filter((piece) => types.includes(piece.type));
  const unmatched = pieces.flatMap((piece, id) =>
    ['unknown', 'control', 'byte', 'unused'].includes(piece.type) ? [id] : [],
  );
  const added = pieces.flatMap(({ piece, type: kind }, id) => {
    if (kind === 'control') return [{ ...specialTokenJson(piece, id), matches: 'never' }];
    if (kind !== 'user-defined') return [];
    return [
      { ...specialTokenJson(piece, id), special: false, normalized: true, matches: 'verbatim' },
    ];
  });
  return {
    added_tokens: added,
    normalizer: {
      ...charsmap,
      type: 'SentencePiece',
      add_dummy_prefix: model.addDummyPrefix,
      remove_extra_whitespaces: model.removeExtraWhitespaces,
      treat_whitespace_as_suffix: model.treatWhitespaceAsSuffix,
      user_defined_symbols: ofType('user-defined').map(({ piece }) => piece),
    },
    pre_tokenizer: type === 'unigram' && cutsAtBlanks(model) ? atBlanks : null,
    decoder: {
      type: 'Sequence',
      decoders: [
        {
          type: 'SentencePiece',
          add_dummy_prefix: model.addDummyPrefix,
          remove_extra_whitespaces: model.removeExtraWhitespaces,
          unknown: pieces[model.unknownId]?.piece ?? null,
          unknown_surface: model.unknownSurface,
        },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
      ],
    },
    ...(type === 'unigram' && {
      model: { ...(parts.model as Record<string, unknown>), unmatched_ids: unmatched },
    }),
  };
}

/** Cuts in front of each `▁`. */
const atBlanks = {
  type: 'Split',
  pattern: { String: '▁' },
  behavior: 'MergedWithNext',
  invert: false,
};

/** Whether no piece goes on behind a `▁`, so that a text may be cut there, and its words be remembered. */
const cutsAtBlanks = ({ pieces }: SentencePieceModel): boolean =>
  pieces.every(({ piece, type }) => type === 'user-defined' || piece.lastIndexOf('▁') < 1);

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
