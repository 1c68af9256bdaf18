import { InputError } from '@headwise/core';
import {
  type GgufReadValue,
  type GgufVocabulary,
  ggufVocabulary,
  preTokenizerNamed,
  tokenTypes,
} from '@headwise/gguf';
import {
  bpeJson,
  emptyFrame,
  type SentencePieceModel,
  sentencePieceJson,
  specialTokenJson,
} from '@headwise/tokenizers/internal';

type Metadata = ReadonlyMap<string, GgufReadValue>;
type Json = Record<string, unknown>;

/** A tokenizer, and whether llama.cpp puts a beginning before a text where the file does not say it. */
interface Read {
  json: Json;
  addsBos: boolean;
}

/**
 * The files of a tokenizer that the metadata of a GGUF file stands for: `tokenizer.json`, and `tokenizer_config.json` with special tokens and
 * the chat template; none for a file without a tokenizer.
 *
 * @throws InputError or GgufError for a kind or a pattern that is not known
 */
export function ggufTokenizerFiles(metadata: Metadata, name: string): Record<string, Json> {
  if (!metadata.has('tokenizer.ggml.model')) return {};
  const vocabulary = ggufVocabulary(metadata, name);
  const { json, addsBos } = readKind(vocabulary, metadata, name);
  const idOf = (token: string) => metadata.get(`tokenizer.ggml.${token}_token_id`);
  const textOf = (token: string) => vocabulary.tokens[Number(idOf(token))];
  const adds = (token: 'bos' | 'eos', otherwise: boolean) => {
    const given = metadata.get(`tokenizer.ggml.add_${token}_token`) ?? otherwise;
    return given === true && textOf(token) !== undefined;
  };
  const special = (token: string): Json[] => [{ SpecialToken: { id: textOf(token), type_id: 0 } }];
  const [begins, ends] = [adds('bos', addsBos), adds('eos', false)];
  const around = [
    ...(begins ? special('bos') : []),
    { Sequence: { id: 'A', type_id: 0 } },
    ...(ends ? special('eos') : []),
  ];
  const used = [...(begins ? ['bos'] : []), ...(ends ? ['eos'] : [])];
  const template = {
    type: 'TemplateProcessing',
    single: around,
    pair: [...around, { Sequence: { id: 'B', type_id: 1 } }],
    special_tokens: Object.fromEntries(
      used.map((token) => {
        const id = textOf(token)!;
        return [id, { id, ids: [idOf(token)], tokens: [id] }];
      }),
    ),
  };
  const names = { bos: 'bos', eos: 'eos', unk: 'unknown', pad: 'padding', mask: 'mask' };
  const texts = Object.entries(names).flatMap(([own, theirs]) => {
    const text = textOf(theirs);
    return text === undefined ? [] : [[`${own}_token`, text] as const];
  });
  const chat = metadata.get('tokenizer.chat_template');
  return {
    'tokenizer.json': { ...json, post_processor: used.length > 0 ? template : null },
    'tokenizer_config.json': {
      ...Object.fromEntries(texts),
      add_bos_token: begins,
      add_eos_token: ends,
      ...(typeof chat === 'string' ? { chat_template: chat } : {}),
    },
  };
}

function readKind(vocabulary: GgufVocabulary, metadata: Metadata, name: string): Read {
  switch (vocabulary.kind) {
    case 'gpt2':
      return byteLevel(vocabulary, name);
    case 'llama':
      return { json: sentencePiece(vocabulary, metadata, name, 'bpe'), addsBos: true };
    case 't5':
      return { json: sentencePiece(vocabulary, metadata, name, 'unigram'), addsBos: false };
    default:
      throw new InputError(
        `${name}: 'tokenizer.ggml.model' is '${vocabulary.kind}'; expected gpt2, llama or t5`,
      );
  }
}

/** BPE on bytes; ids without a token stay without. */
function byteLevel({ tokens, types, merges, pre }: GgufVocabulary, name: string): Read {
  const { preTokenizer, ignoreMerges, addsBos } = preTokenizerNamed(pre, name);
  const added: Json[] = [];
  const vocab: Record<string, number> = {};
  for (const [id, token] of tokens.entries()) {
    const type = types[id];
    if (type === tokenTypes.unused) continue;
    if (type === tokenTypes.normal || type === tokenTypes.byte) vocab[token] ??= id;
    else added.push({ ...specialTokenJson(token, id), special: type !== tokenTypes.userDefined });
  }
  const decoder = {
    type: 'ByteLevel',
    add_prefix_space: false,
    trim_offsets: true,
    use_regex: false,
  };
  return {
    addsBos,
    json: {
      ...emptyFrame(),
      added_tokens: added,
      pre_tokenizer: preTokenizer,
      decoder,
      model: bpeJson(vocab, merges, { ignore_merges: ignoreMerges }),
    },
  };
}

const pieceTypes: Readonly<Record<number, SentencePieceModel['pieces'][number]['type']>> = {
  [tokenTypes.normal]: 'normal',
  [tokenTypes.unknown]: 'unknown',
  [tokenTypes.control]: 'control',
  [tokenTypes.userDefined]: 'user-defined',
  [tokenTypes.unused]: 'unused',
  [tokenTypes.byte]: 'byte',
};

function sentencePiece(
  { tokens, types, scores }: GgufVocabulary,
  metadata: Metadata,
  name: string,
  type: 'bpe' | 'unigram',
): Json {
  const flag = (key: string, otherwise: boolean) =>
    (metadata.get(`tokenizer.ggml.${key}`) ?? otherwise) === true;
  const charsmap = metadata.get('tokenizer.ggml.precompiled_charsmap');
  const unknown = metadata.get('tokenizer.ggml.unknown_token_id');
  const model: SentencePieceModel = {
    pieces: tokens.map((piece, id) => ({
      piece,
      score: scores[id]!,
      type: pieceTypes[types[id]!] ?? 'normal',
    })),
    type,
    byteFallback: types.includes(tokenTypes.byte),
    unknownId: typeof unknown === 'number' ? unknown : types.indexOf(tokenTypes.unknown),
    charsmap: Array.isArray(charsmap) ? Uint8Array.from(charsmap as number[]) : new Uint8Array(0),
    addDummyPrefix: flag('add_space_prefix', true),
    removeExtraWhitespaces: flag('remove_extra_whitespaces', false),
    treatWhitespaceAsSuffix: false,
    unknownSurface: ' ⁇ ',
  };
  return sentencePieceJson(model, name, 'transformers');
}
