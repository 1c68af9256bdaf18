import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { InputError } from '@headwise/core';
import { type MixtureSettings, parseMixture, TokenShards } from '@headwise/data';
import { folderSource, tokenizerHash } from '@headwise/data/node';
import { loadTokenizer } from '@headwise/tokenizers/node';
import type { ShardData } from '../run-config.js';
import type { OpenShards } from '../shard-data.js';

/**
 * Opens the shards of `data.shards`, or those of the sources of `data.mixture`.
 *
 * @returns with `sha256`, of the mixture and the manifests of its sources
 * @throws InputError or DataError naming what cannot be read or ends early, was made with another tokenizer, or has changed
 */
export async function openRunShards({
  shards,
  mixture,
}: Pick<ShardData, 'shards' | 'mixture'>): Promise<OpenShards & { sha256: string }> {
  const settings =
    mixture === undefined ? { sources: [{ shards: shards! }] } : await readMixture(mixture);
  const base = mixture === undefined ? '' : dirname(mixture);
  const hash = createHash('sha256');
  const { temperature, curriculum } = settings;
  hash.update(JSON.stringify({ temperature, curriculum }));
  const opened: TokenShards[] = [];
  for (const { shards: name, sha256, ...weight } of settings.sources) {
    const source = folderSource(resolve(base, name));
    const manifest = await source.read('shards.json');
    const found = createHash('sha256').update(manifest).digest('hex');
    if (sha256 !== undefined && sha256 !== found) {
      throw new InputError(
        `${mixture}: ${name} has the SHA-256 ${found}, expected ${sha256}: the shards have changed since the mixture was made`,
      );
    }
    hash.update(JSON.stringify({ ...weight, sha256: found }));
    const each = await TokenShards.open(source);
    await checkEnds(each);
    opened.push(each);
  }
  const path = join(opened[0]!.name, 'tokenizer.json');
  const tokenizer = await loadTokenizer(path);
  for (const each of opened) each.checkTokenizer(tokenizerHash(tokenizer), path);
  return { settings, shards: opened, tokenizer, sha256: hash.digest('hex') };
}

/** Refuses a shard that ends early now, not when a step reads there. */
async function checkEnds(shards: TokenShards): Promise<void> {
  let end = 0;
  for (const { tokens } of shards.manifest.shards) {
    end += tokens;
    if (tokens > 0) await shards.read(end - 1, 1);
  }
}

/** Reads a mixture file. */
async function readMixture(path: string): Promise<MixtureSettings> {
  const text = await readFile(path, 'utf8').catch((cause) => {
    throw new InputError(`${path}: cannot be read: ${cause.message}`, { cause });
  });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new InputError(`${path}: is not JSON: ${(cause as Error).message}`, { cause });
  }
  return parseMixture(json, path);
}
