import { Fields, isCount, maxId, mismatch } from '../fields.js';
import { checkTokenLength } from '../limits.js';
import type { TokenizerFile } from '../tokenizer-file.js';
import { Vocabulary } from '../vocabulary.js';
import { Bpe } from './bpe.js';
import type { Model } from './model.js';
import { Unigram } from './unigram.js';
import { WordLevel } from './word-level.js';
import { WordPiece } from './word-piece.js';

const readers: Readonly<Record<string, (fields: Fields, file: TokenizerFile) => Model>> = {
  BPE: readBpe,
  Unigram: readUnigram,
  WordLevel: readWordLevel,
  WordPiece: readWordPiece,
};

/**
 * Reads a `model`; where it has no type, what it holds tells.
 *
 * @throws TokenizerError naming the field, what it holds and what was expected
 */
export function readModel(file: TokenizerFile): Model {
  const fields = new Fields(file.document.model, `${file.name}: model`);
  const type = fields.has('type') ? fields.type : guess(fields, file);
  if (!Object.hasOwn(readers, type)) {
    throw mismatch(`${fields.path}.type`, type, `one of ${Object.keys(readers).join(', ')}`);
  }
  return readers[type]!(fields, file);
}

function guess(fields: Fields, { merges }: TokenizerFile): string {
  if (merges) return 'BPE';
  if (fields.has('unk_id') || Array.isArray(fields.value('vocab'))) return 'Unigram';
  return fields.has('max_input_chars_per_word') ? 'WordPiece' : 'WordLevel';
}

function vocabOf(fields: Fields, { vocab }: TokenizerFile): Vocabulary {
  return vocab ?? fields.refuse('vocab', 'an object of tokens and ids');
}

function readBpe(fields: Fields, file: TokenizerFile): Model {
  const vocab = vocabOf(fields, file);
  const merges = file.merges ?? fields.refuse('merges', 'an array');
  if (fields.has('dropout') && typeof fields.value('dropout') !== 'number') {
    fields.refuse('dropout', '0 to 1');
  }
  return new Bpe(vocab, merges, {
    unknownToken: fields.optional('unk_token'),
    continuingPrefix: affix(fields, 'continuing_subword_prefix'),
    endSuffix: affix(fields, 'end_of_word_suffix'),
    fuseUnknown: fields.boolean('fuse_unk', false),
    byteFallback: fields.boolean('byte_fallback', false),
    ignoreMerges: fields.boolean('ignore_merges', false),
    ...(fields.has('dropout') ? { dropout: fields.value('dropout') as number } : {}),
  });
}

/** What stands before or behind the symbols of a word. */
function affix(fields: Fields, name: string): string | undefined {
  const text = fields.optional(name);
  checkTokenLength(text ?? '', `${fields.path}.${name}`);
  return text;
}

function readWordPiece(fields: Fields, file: TokenizerFile): Model {
  return new WordPiece(vocabOf(fields, file), {
    unknownToken: fields.string('unk_token', '[UNK]'),
    continuingPrefix: affix(fields, 'continuing_subword_prefix') ?? '##',
    maxCharacters: fields.count('max_input_chars_per_word', 100),
  });
}

function readWordLevel(fields: Fields, file: TokenizerFile): Model {
  return new WordLevel(vocabOf(fields, file), fields.string('unk_token', '<unk>'));
}

function readIds(fields: Fields, name: string): number[] {
  const ids = fields.array(name);
  return ids.every((id) => isCount(id, maxId))
    ? (ids as number[])
    : fields.refuse(name, `whole numbers from 0 to ${maxId}`);
}

function readUnigram(fields: Fields): Model {
  const pieces = fields.array('vocab');
  const vocab = new Vocabulary();
  const scores = new Float64Array(pieces.length);
  pieces.forEach((piece, id) => {
    const [token, score] = Array.isArray(piece) ? piece : [];
    if (typeof token !== 'string' || !Number.isFinite(score)) {
      throw mismatch(`${fields.path}.vocab[${id}]`, piece, 'a token and its score');
    }
    checkTokenLength(token, `${fields.path}.vocab[${id}][0]`);
    const before = vocab.id(token);
    vocab.add(token, id);
    // A piece that stands twice has its last id and score, and both ids decode to it.
    if (before !== undefined) vocab.alias(before, id);
    scores[id] = score as number;
  });
  return new Unigram(vocab, scores, {
    unknownId: fields.has('unk_id') ? fields.count('unk_id') : undefined,
    ...(fields.has('unmatched_ids') && { unmatched: readIds(fields, 'unmatched_ids') }),
    byteFallback: fields.boolean('byte_fallback', false),
  });
}
