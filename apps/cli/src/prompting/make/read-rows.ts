import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { InputError, quoted } from '@headwise/core';
import { DataError, type JsonValue, readRows } from '@headwise/data';
import type { PreferenceQuery, SourceDocument } from '@headwise/prompting';
import type { ChatMessage } from '@headwise/tokenizers';
import { readData } from '../../read-data.js';

type Fields = Readonly<Record<string, JsonValue>>;

/** A row of a file, and where it stands. */
interface Row {
  readonly fields: Fields;
  /** Of the file's name without folders, so that rows do not depend on where it lies. */
  readonly place: string;
  /** Of the path that was given, for errors. */
  readonly where: string;
}

/** What was read from a file, and which file it was. */
export interface ReadRows<T> {
  readonly items: readonly T[];
  readonly source: JsonValue;
}

/**
 * The queries of a file: rows with `prompt`, `instruction` or `messages`; `answers` are those that were made before.
 *
 * @param as messages, or texts: then a `prompt` is what the model reads, as it stands
 * @throws DataError naming the row, for one that asks nothing
 */
export async function readQueries(
  path: string,
  as: 'text' | 'messages',
): Promise<ReadRows<PreferenceQuery>> {
  const { rows, source } = await rowsOf(path);
  return { items: rows.map((row) => queryOf(row, as)), source };
}

/**
 * The documents of a file: rows with `text`, and perhaps `instruction`, which is then only scored.
 *
 * @throws DataError naming the row without a text
 */
export async function readSourceDocuments(path: string): Promise<ReadRows<SourceDocument>> {
  const { rows, source } = await rowsOf(path);
  const items = rows.map(({ fields, place, where }) => {
    const { text, instruction } = fields;
    if (typeof text !== 'string' || text.trim() === '') {
      throw new DataError(`${where}: 'text' is ${quoted(text)}; expected the document`);
    }
    const document = text.trim();
    return typeof instruction === 'string' ? { place, document, instruction } : { place, document };
  });
  return { items, source };
}

async function rowsOf(path: string): Promise<{ rows: Row[]; source: JsonValue }> {
  const bytes = await readData(path);
  const name = path === '-' ? 'standard input' : path;
  const { rows, places } = await readRows(bytes, name);
  if (rows.length === 0) throw new DataError(`${name}: holds no row; expected an object a line`);
  const all = rows.map((fields, n): Row => {
    const where = `${name}:${places[n]}`;
    if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) {
      throw new DataError(`${where}: is ${quoted(fields)}; expected an object`);
    }
    return { fields: fields as Fields, place: `${basename(name)}:${places[n]}`, where };
  });
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { rows: all, source: { file: basename(name), sha256 } };
}

function queryOf({ fields, place, where }: Row, as: 'text' | 'messages'): PreferenceQuery {
  const { prompt, instruction, messages, answers: given, made: _, ...rest } = fields;
  const answers = given === undefined ? {} : { answers: answersOf(given, where) };
  const own = { place, ...answers, data: rest };
  if (Array.isArray(messages) || Array.isArray(prompt)) {
    if (as === 'text') {
      throw new InputError(`${where}: has messages; expected a text, or --as chat`);
    }
    return { ...own, ...chatOf((messages ?? prompt) as readonly JsonValue[], where) };
  }
  if (typeof instruction === 'string' && instruction.trim() !== '') {
    // Alpaca's rows have what the instruction is about beside it.
    const { input } = fields;
    const more = typeof input === 'string' && input.trim() !== '' ? `\n\n${input}` : '';
    return { ...own, instruction: instruction + more };
  }
  if (typeof prompt === 'string' && prompt.trim() !== '') {
    return { ...own, instruction: prompt, ...(as === 'text' && { prompt }) };
  }
  const there = Object.keys(fields).map((key) => `'${key}'`);
  throw new DataError(
    `${where}: has ${there.join(', ') || 'no key'}; expected 'prompt', 'instruction' or 'messages' that ask something`,
  );
}

/** The messages before the answer; an answer that is there is left aside. */
function chatOf(
  given: readonly JsonValue[],
  where: string,
): { instruction: string; prompt: readonly ChatMessage[] } {
  const all = given as unknown as readonly Partial<ChatMessage>[];
  const prompt = all.at(-1)?.role === 'assistant' ? all.slice(0, -1) : all;
  const last = prompt.at(-1);
  if (last?.role !== 'user' || typeof last.content !== 'string') {
    throw new DataError(
      `${where}: the last message before the answer is ${quoted(last)}; expected one of the role 'user' with a text as its content`,
    );
  }
  return { instruction: last.content, prompt: prompt as readonly ChatMessage[] };
}

function answersOf(given: JsonValue, where: string): readonly string[] {
  if (Array.isArray(given) && given.every((answer) => typeof answer === 'string')) {
    return given as readonly string[];
  }
  throw new DataError(`${where}: 'answers' is ${quoted(given)}; expected a list of texts`);
}
