import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkOneOf } from '@headwise/core';
import { groupsOf, type ModelGroup, modelGroups } from './models/groups.js';

/** A tiny checkpoint of Hugging Face's beside what transformers computes from it. */
export interface GoldenFolder {
  /** Family and variant: `llama-gqa-llama3`. */
  name: string;
  path: string;
}

/** Which goldens are listed. */
export interface GoldenOptions {
  /** Only the models of a group; default all. */
  group?: ModelGroup | undefined;
}

/**
 * The goldens that come with this package, at least one for every family of models, sorted by name.
 *
 * @throws InputError for an unknown group
 */
export async function goldenFolders({ group }: GoldenOptions = {}): Promise<GoldenFolder[]> {
  const root = fileURLToPath(new URL('../goldens', import.meta.url));
  const names = await readdir(root);
  const all = names.sort().map((name) => ({ name, path: join(root, name) }));
  if (group === undefined) return all;
  checkOneOf('goldenFolders: group', group, modelGroups);
  const belongs = await Promise.all(
    all.map(async ({ path }) => {
      const file = join(path, 'config.json');
      return groupsOf(JSON.parse(await readFile(file, 'utf8')), file).includes(group);
    }),
  );
  return all.filter((_, i) => belongs[i]);
}
