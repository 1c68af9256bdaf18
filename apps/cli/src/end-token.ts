import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { InputError } from '@headwise/core';
import type { Tokenizer } from '@headwise/tokenizers';

/** The id that ends a text: `eos_token_id` of `generation_config.json`, else of `config.json`; of several the first. */
export async function endIdOf(folder: string): Promise<number | undefined> {
  for (const name of ['generation_config.json', 'config.json']) {
    const [id] = [(await jsonIn(folder, name)).eos_token_id].flat();
    if (typeof id === 'number') return id;
  }
  return undefined;
}

/**
 * The token that ends a text: `eos_token` of `tokenizer_config.json`, else that of the model's `eos_token_id`.
 *
 * @param path of `tokenizer.json`, or of its folder
 * @throws InputError where the files beside it name none
 */
export async function endTokenOf(path: string, tokenizer: Tokenizer): Promise<string> {
  const folder = statSync(path).isDirectory() ? path : dirname(path);
  const { eos_token: given } = await jsonIn(folder, 'tokenizer_config.json');
  const named = typeof given === 'string' ? given : Object(given).content;
  if (typeof named === 'string') return named;
  const id = await endIdOf(folder);
  const token = id === undefined ? undefined : tokenizer.idToToken(id);
  if (token !== undefined) return token;
  throw new InputError(
    `${path}: no end token is named beside it, by eos_token in tokenizer_config.json or eos_token_id in config.json; give --end TOKEN to put one after each document, or --no-end`,
  );
}

async function jsonIn(folder: string, name: string): Promise<Record<string, unknown>> {
  const path = join(folder, name);
  const { readJson } = await import('@headwise/models/node');
  return existsSync(path) ? (Object(await readJson(path)) as Record<string, unknown>) : {};
}
