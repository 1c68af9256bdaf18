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

/** The map that is looked at now. */
let map: TiledMap | undefined;
const tokenizers = new Map<string, Promise<Tokenizer>>();

/** What is counted and drawn away from the page, and from the worker that trains. */
export const methods = {
  openMap: (_: Call, values: Float32Array, size: number) => {
    map = new TiledMap({ values, rows: size, keys: size });
    return { levels: map.levels };
  },
  tile: (_: Call, level: number, column: number, row: number) => {
    if (!map) throw new Error('no map is open');
    return map.tile(level, { column, row });
  },
  weight: (_: Call, row: number, key: number) => map?.at(row, key),
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
