import { checkWhole, DataError } from './errors.js';

/** Token ids of a corpus: two bytes each where the vocabulary allows it, else four. */
export type TokenIds = Uint16Array | Int32Array;

/**
 * Token ids in the least memory that holds every id of the vocabulary.
 * @param ids as a tokenizer gives them
 * @param options `vocabSize` is the number of tokens that the model knows
 * @throws DataError when an id is not a whole number from 0 to `vocabSize − 1`
 */
export function packTokenIds(
  ids: ArrayLike<number>,
  { vocabSize }: { vocabSize: number },
): TokenIds {
  checkWhole('vocabSize', vocabSize, 1);
  const packed = vocabSize <= 2 ** 16 ? new Uint16Array(ids.length) : new Int32Array(ids.length);
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i]!;
    if (!Number.isInteger(id) || id < 0 || id >= vocabSize) {
      throw new DataError(
        `token ${i} has the id ${id}, expected a whole number below the vocabulary size ${vocabSize}`,
      );
    }
    packed[i] = id;
  }
  return packed;
}
