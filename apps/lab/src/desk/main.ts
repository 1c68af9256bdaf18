import { TiledMap } from '@headwise/inspect/figures';
import type { Tokenizer } from '@headwise/tokenizers';
import { type Call, serve, type WorkerScope } from '../worker/rpc.js';
import { spansOf, type TokenSpan } from './spans.js';
import {
  readTokenizer,
  type TokenizerSource,
  type TrainingRequest,
  trainTokenizer,
} from './tokenizers.js';

declare const self: WorkerScope;

/** The open maps, by the name that the page gave them. */
const maps = new Map<string, TiledMap>();
const tokenizers = new Map<string, Promise<Tokenizer>>();

/** What is counted and drawn away from the page, and from the worker that trains. */
export const methods = {
  openMap: (_: Call, name: string, values: Float32Array, size: number) => {
    const map = new TiledMap({ values, rows: size, keys: size });
    maps.set(name, map);
    return { levels: map.levels };
  },
  closeMap: (_: Call, name: string) => {
    maps.delete(name);
  },
  /** A tile of a map; undefined of one that was closed meanwhile. */
  tile: (_: Call, name: string, level: number, column: number, row: number) =>
    maps.get(name)?.tile(level, { column, row }),
  weight: (_: Call, name: string, row: number, key: number) => maps.get(name)?.at(row, key),
  /** Reads a tokenizer and keeps it under a name. */
  openTokenizer: async (_: Call, key: string, source: TokenizerSource) => {
    const reading = readTokenizer(source);
    tokenizers.set(key, reading);
    reading.catch(() => tokenizers.delete(key));
    const { vocabSize } = await reading;
    return { vocabSize };
  },
  train: async (call: Call, key: string, request: TrainingRequest) => {
    const tokenizer = await trainTokenizer(request, call);
    tokenizers.set(key, Promise.resolve(tokenizer));
    return { vocabSize: tokenizer.vocabSize };
  },
  json: async (_: Call, key: string): Promise<string> =>
    JSON.stringify((await tokenizerOf(key)).toJSON()),
  tokenize: async (_: Call, key: string, text: string): Promise<TokenSpan[]> =>
    spansOf(await tokenizerOf(key), text),
};

async function tokenizerOf(key: string): Promise<Tokenizer> {
  const tokenizer = await tokenizers.get(key);
  if (!tokenizer) throw new Error('this tokenizer is not loaded; choose it again');
  return tokenizer;
}

export type DeskMethods = typeof methods;

serve(self, methods);
