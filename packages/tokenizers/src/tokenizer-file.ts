import { asBytes, type Bytes } from './as-bytes.js';
import { TokenizerError } from './errors.js';
import { mismatch } from './fields.js';
import { JsonBytes } from './json-bytes.js';
import { expectedId, idEnd } from './limits.js';
import { MergeTable } from './models/merge-table.js';
import { unitsToString } from './text/normalized-text.js';
import { hashUnits, Vocabulary } from './vocabulary.js';

/** A `tokenizer.json` with its two large fields read into tables. */
export interface TokenizerFile {
  /** The document, without `model.vocab` and `model.merges` where they are below. */
  document: Record<string, unknown>;
  vocab?: Vocabulary | undefined;
  merges?: MergeTable | undefined;
  /** For errors. */
  name: string;
}

/**
 * Reads a `tokenizer.json` from its bytes; the vocabulary and the merges never become JavaScript objects.
 *
 * @throws TokenizerError naming the field, what it holds and what was expected
 */
export function readTokenizerBytes(bytes: Bytes, name: string): TokenizerFile {
  const json = new JsonBytes(asBytes(bytes, name), name);
  const document: Record<string, unknown> = {};
  const model: Record<string, unknown> = {};
  let vocab: Vocabulary | undefined;
  let merges: MergeTable | undefined;
  let mergesAt = -1;
  let prefix = '';
  if (json.peek() !== '{') throw mismatch(`${name}: the document`, json.value(), 'an object');
  json.object((field) => {
    if (field !== 'model' || json.peek() !== '{') {
      document[field] = json.value();
      return;
    }
    document.model = model;
    json.object((part) => {
      if (part === 'vocab' && json.peek() === '{') vocab = readVocabulary(json, name);
      else if (part === 'merges' && json.peek() === '[') {
        mergesAt = json.at;
        prefix = prefixOf(model);
        if (vocab) merges = readMerges(json, vocab, prefix, name);
        else json.skip();
      } else model[part] = json.value();
    });
  });
  json.finish();
  if (mergesAt < 0 || !vocab) return { document, name, ...(vocab && { vocab }) };
  if (!merges || prefix !== prefixOf(model)) {
    // The vocabulary or the prefix stands behind the merges.
    json.at = mergesAt;
    merges = readMerges(json, vocab, prefixOf(model), name);
  }
  return { document, name, vocab, merges };
}

/**
 * Reads a parsed `tokenizer.json`.
 *
 * @throws TokenizerError naming the field, what it holds and what was expected
 */
export function readTokenizerObject(json: unknown, name: string): TokenizerFile {
  const document = asObject(json, `${name}: the document`);
  const model = asObject(document.model, `${name}: model`);
  if (Array.isArray(model.vocab)) return { document, name };
  const { vocab: given, merges: pairs, ...rest } = model;
  const vocab = new Vocabulary();
  const entries = Object.entries(asObject(given, `${name}: model.vocab`));
  for (const [token, id] of entries) {
    if (!isId(id, entries.length)) throw badId(name, token, id);
    addTo(vocab, token, id, name);
  }
  const file: TokenizerFile = { document: { ...document, model: rest }, name, vocab };
  if (!Array.isArray(pairs)) {
    return pairs === undefined ? file : { ...file, document: { ...document, model } };
  }
  const prefix = prefixOf(rest);
  const merges = new MergeList();
  pairs.forEach((pair: unknown, i) => {
    if (typeof pair === 'string' && pair.startsWith(versionLine)) return;
    const parts = typeof pair === 'string' ? pair.split(' ') : pair;
    if (!isPair(parts)) throw badMerge(name, i, pair);
    const [left, right] = parts;
    const made = left + (right.startsWith(prefix) ? right.slice(prefix.length) : right);
    const idOf = (token: string) => vocab.id(token) ?? missing(name, i, left, right, token);
    merges.add(idOf(left), idOf(right), idOf(made));
  });
  return { ...file, merges: new MergeTable(merges.list) };
}

/** Prefix of the version line, the first line of a file of merges. */
const versionLine = '#version';

const isId = (id: unknown, tokens: number): id is number =>
  Number.isInteger(id) && (id as number) >= 0 && (id as number) < idEnd(tokens);

const isPair = (parts: unknown): parts is [string, string] =>
  Array.isArray(parts) && parts.length === 2 && parts.every((part) => typeof part === 'string');

const prefixOf = (model: Record<string, unknown>): string =>
  typeof model.continuing_subword_prefix === 'string' ? model.continuing_subword_prefix : '';

function asObject(value: unknown, path: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw mismatch(path, value, 'an object');
  }
  return value as Record<string, unknown>;
}

const badId = (name: string, token: string, id: unknown): TokenizerError =>
  mismatch(`${name}: model.vocab['${shownKey(token)}']`, id, expectedId);

const shownKey = (key: string): string => (key.length > 80 ? `${key.slice(0, 80)}…` : key);

const badMerge = (name: string, index: number, merge: unknown): TokenizerError =>
  mismatch(`${name}: model.merges[${index}]`, merge, 'two tokens');

function missing(name: string, index: number, left: string, right: string, token: string): never {
  throw new TokenizerError(
    `${name}: model.merges[${index}] is '${left} ${right}'; the vocabulary lacks '${token}'`,
  );
}

function addTo(vocab: Vocabulary, token: string, id: number, name: string): void {
  try {
    vocab.add(token, id);
  } catch (error) {
    throw new TokenizerError(`${name}: model.vocab: ${(error as Error).message}`);
  }
}

function readVocabulary(json: JsonBytes, name: string): Vocabulary {
  const vocab = new Vocabulary(Math.max(256, json.bytes.length >> 7));
  // How many tokens there are is known at the end; each takes six bytes at least.
  const most = Math.ceil(json.bytes.length / 6);
  json.entries(() => {
    const length = json.string(0);
    const { hash } = json;
    json.colon();
    const id = json.count();
    if (!isId(id, most)) {
      throw badId(name, unitsToString(json.units, 0, length), id < 0 ? json.value() : id);
    }
    try {
      vocab.addUnits(json.units, length, hash, id);
    } catch (error) {
      throw new TokenizerError(`${name}: model.vocab: ${(error as Error).message}`);
    }
  });
  const last = vocab.end - 1;
  if (last >= idEnd(vocab.size)) throw badId(name, vocab.token(last)!, last);
  return vocab;
}

function readMerges(json: JsonBytes, vocab: Vocabulary, prefix: string, name: string): MergeTable {
  const found = new MergeList();
  const pair = new PairReader(json);
  let made = -1;
  json.array((index) => {
    const before = json.at;
    if (!pair.read()) {
      json.at = before;
      throw badMerge(name, index, json.value());
    }
    if (pair.isVersion) return;
    const { units } = json;
    const { middle, end } = pair;
    const left = vocab.findHashed(units, 0, middle, pair.leftHash);
    const right = vocab.findHashed(units, middle, end, pair.rightHash);
    let to = end;
    if (prefix !== '' && startsWith(units, middle, end, prefix)) {
      to = end - prefix.length;
      units.copyWithin(middle, middle + prefix.length, end);
    }
    // Files list the merges of a token one after the other, mostly in the order of the ids.
    if (!vocab.is(made, units, 0, to) && !vocab.is(++made, units, 0, to)) {
      made = vocab.find(units, 0, to);
    }
    if (left < 0 || right < 0 || made < 0) {
      const [first, second] = [unitsToString(units, 0, middle), unitsToString(units, middle, to)];
      missing(name, index, first, second, left < 0 ? first : right < 0 ? second : first + second);
    }
    found.add(left, right, made);
  });
  return new MergeTable(found.list);
}

/** Merges as they are read. */
class MergeList {
  #numbers = new Int32Array(3 * 1024);
  #count = 0;

  get list(): Int32Array {
    return this.#numbers.slice(0, this.#count);
  }

  add(left: number, right: number, made: number): void {
    if (this.#count === this.#numbers.length) {
      const wider = new Int32Array(2 * this.#count);
      wider.set(this.#numbers);
      this.#numbers = wider;
    }
    this.#numbers[this.#count] = left;
    this.#numbers[this.#count + 1] = right;
    this.#numbers[this.#count + 2] = made;
    this.#count += 3;
  }
}

const blank = 32;

/** Reads merges, `"a b"` or `["a", "b"]`, one token behind the other in the units of the file's reader. */
class PairReader {
  /** Where the first token ends and the second begins; where that ends. */
  middle = 0;
  end = 0;
  leftHash = 0;
  rightHash = 0;
  /** It is the line of the file's version, and no merge. */
  isVersion = false;

  constructor(readonly json: JsonBytes) {}

  /** Whether there were two tokens, or the version. */
  read(): boolean {
    const { json } = this;
    this.isVersion = false;
    if (!json.take('[')) return json.peek() === '"' && this.#readOne();
    if (json.peek() !== '"') return false;
    this.middle = json.string(0);
    this.leftHash = json.hash;
    if (!json.take(',') || json.peek() !== '"') return false;
    this.end = json.string(this.middle);
    this.rightHash = json.hash;
    return json.take(']');
  }

  #readOne(): boolean {
    const end = this.json.string(0);
    const { units } = this.json;
    this.isVersion = startsWith(units, 0, end, versionLine);
    if (this.isVersion) return true;
    const at = units.indexOf(blank);
    if (at < 0 || at >= end || units.subarray(at + 1, end).includes(blank)) return false;
    units.copyWithin(at, at + 1, end);
    this.middle = at;
    this.end = end - 1;
    this.leftHash = hashUnits(units, 0, at);
    this.rightHash = hashUnits(units, at, end - 1);
    return true;
  }
}

function startsWith(units: Uint16Array, start: number, end: number, text: string): boolean {
  if (end - start < text.length) return false;
  for (let i = 0; i < text.length; i++) if (units[start + i] !== text.charCodeAt(i)) return false;
  return true;
}
