import type { Encoding } from '../encoding.js';
import { TokenizerError } from '../errors.js';
import { type Fields, isCount, maxId, mismatch } from '../fields.js';
import { maxParts } from '../limits.js';
import type { Part, PostProcessor } from './post-processor.js';

/** One piece of a template: a text, or the ids of a special token. */
type Piece = { text: 0 | 1; typeId: number } | { ids: number[]; tokens: string[]; typeId: number };

/** Puts texts and special tokens in the order of a template. */
export function readTemplate(fields: Fields): PostProcessor {
  const specials = fields.object('special_tokens');
  const single = readPieces(fields, 'single', specials);
  const pair = readPieces(fields, 'pair', specials);
  if (!single.some((piece) => 'text' in piece && piece.text === 0)) {
    fields.refuse('single', "a template with Sequence 'A'");
  }
  const count = (pieces: readonly Piece[]) =>
    pieces.reduce((sum, piece) => sum + ('ids' in piece ? piece.ids.length : 0), 0);
  return {
    added: (isPair) => count(isPair ? pair : single),
    process(parts, addSpecialTokens) {
      if (parts.length > 2) {
        throw new TokenizerError(
          `${fields.path} gets ${parts.length} parts from the post-processor before it; expected one or two`,
        );
      }
      const pieces = parts.length > 1 ? pair : single;
      return pieces.flatMap((piece): Part[] => {
        if ('text' in piece) {
          const part = parts[piece.text];
          return part ? [{ text: part.text, encoding: typed(part.encoding, piece.typeId) }] : [];
        }
        if (!addSpecialTokens) return [];
        const { ids, tokens, typeId } = piece;
        return [{ text: '', encoding: specialTokens(parts[0]!.encoding, ids, tokens, typeId) }];
      });
    },
  };
}

function readPieces(fields: Fields, name: string, specials: Fields): Piece[] {
  const pieces = fields.objects(name);
  if (pieces.length > maxParts) fields.refuse(name, `at most ${maxParts} pieces`);
  return pieces.map((piece): Piece => {
    if (piece.has('Sequence')) {
      const sequence = piece.object('Sequence');
      const text = sequence.oneOf('id', ['A', 'B']) === 'A' ? 0 : 1;
      return { text, typeId: sequence.id('type_id', 0) };
    }
    if (!piece.has('SpecialToken')) {
      throw mismatch(piece.path, piece.json, '{ "Sequence": … } or { "SpecialToken": … }');
    }
    const special = piece.object('SpecialToken');
    const id = special.string('id');
    if (!specials.has(id)) special.refuse('id', `a token of ${specials.path}`);
    const token = specials.object(id);
    const ids = token.array('ids');
    const tokens = token.array('tokens');
    if (!ids.every((other) => isCount(other, maxId))) {
      token.refuse('ids', `whole numbers from 0 to ${maxId}`);
    }
    if (tokens.length !== ids.length || !tokens.every((other) => typeof other === 'string')) {
      token.refuse('tokens', `${ids.length} strings`);
    }
    return {
      ids: ids as number[],
      tokens: tokens as string[],
      typeId: special.id('type_id', 0),
    };
  });
}

/** An encoding with all its tokens of one type. */
export function typed(encoding: Encoding, typeId: number): Encoding {
  if (typeId === 0 && !encoding.hasTypes) return encoding;
  return encoding.withAll((part) => part.with({ types: part.ids.map(() => typeId) }));
}

/** Special tokens, which lie nowhere in the text. */
export function specialTokens(
  like: Encoding,
  ids: readonly number[],
  tokens: readonly string[],
  typeId: number,
): Encoding {
  return like.withColumns({
    ids: [...ids],
    bounds: ids.flatMap(() => [0, 0]),
    words: ids.map(() => -1),
    ...(typeId !== 0 && { types: ids.map(() => typeId) }),
    special: ids.map(() => 1),
    ...(tokens.some((token, i) => token !== like.nameOf(ids[i]!)) && {
      surfaces: new Map(tokens.map((token, i) => [i, token])),
    }),
  });
}
