import { TokenizerError } from './errors.js';
import { mismatch } from './fields.js';

/** Texts one after the other: an array, any other iterable, or an async iterable. */
export type Texts = Iterable<string> | AsyncIterable<string>;

/**
 * Gives texts one after the other, with U+FFFD for unpaired surrogates.
 *
 * @throws TokenizerError where `texts` is one string, whose items would be its characters, or an item is not a string
 */
export async function* eachText(texts: Texts, signal?: AbortSignal): AsyncGenerator<string> {
  if (typeof texts === 'string' || !isIterable(texts)) throw notAList('texts', texts);
  let index = 0;
  for await (const text of texts) {
    signal?.throwIfAborted();
    if (typeof text !== 'string') throw mismatch(`texts[${index}]`, text, 'a string');
    index++;
    yield text.toWellFormed();
  }
}

/**
 * The strings of a list.
 *
 * @param name of the list, for errors
 * @throws TokenizerError where it is one string, not a list, or an item is not a string
 */
export function stringList(value: Iterable<string>, name: string): string[] {
  if (typeof value === 'string' || !isIterable(value)) throw notAList(name, value);
  const list = [...(value as Iterable<unknown>)];
  list.forEach((item, i) => {
    if (typeof item !== 'string') throw mismatch(`${name}[${i}]`, item, 'a string');
  });
  return list as string[];
}

const isIterable = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (Symbol.iterator in value || Symbol.asyncIterator in value);

function notAList(name: string, value: unknown): TokenizerError {
  const error = mismatch(name, value, 'a list of strings');
  return typeof value === 'string'
    ? new TokenizerError(`${error.message}, such as [${name === 'texts' ? 'text' : '…'}]`)
    : error;
}
