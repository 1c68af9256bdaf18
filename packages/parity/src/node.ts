import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A tiny checkpoint of Hugging Face's beside what transformers computes from it. */
export interface GoldenFolder {
  /** Family and variant: `llama-gqa-llama3`. */
  name: string;
  path: string;
}

/** The goldens that come with this package, at least one for every family of models. */
export async function goldenFolders(): Promise<GoldenFolder[]> {
  const root = fileURLToPath(new URL('../goldens', import.meta.url));
  const names = await readdir(root);
  return names.sort().map((name) => ({ name, path: join(root, name) }));
}
