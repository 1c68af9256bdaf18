import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '@headwise/core';
import { type FileContent, type FolderChange, openFile } from '@headwise/files';

/** Weights, in whatever format, and their indices. */
const weights =
  /\.(?:safetensors|bin|pt|pth|ckpt|h5|msgpack|gguf|ggml|onnx|onnx_data|ot|npz|mlmodel|tflite)$|\.index\.json$|^tf_model|^flax_model/;
/** Files that are not copied: those written anew, an adapter's own, and the state of a training run. */
const others =
  /^(?:config\.json|adapter_config\.json|headwise-manifest\.json|trainer|checkpoint-\d+)$|^\./;
/** Files of a tokenizer, chat templates included. */
const tokenizer =
  /^(?:tokenizer.*\.json|special_tokens_map\.json|added_tokens\.json|vocab\..*|merges\.txt|.*\.model|chat_template\..*|additional_chat_templates)$/;
const generation = 'generation_config.json';
/** A folder of the tokenizer, removed with the last of its files. */
const folder = 'additional_chat_templates';

const deepest = 8;

/**
 * The files of a checkpoint's folder beside its weights and `config.json`, for `commit` together with `modelFiles`:
 * `generation_config.json`, the tokenizer's files, chat templates, and all others. Tokenizer and
 * generation files of an earlier model are removed.
 *
 * @param from the folder, whose files may be links
 * @param options `adapter`: the folder of an adapter that is merged in, whose tokenizer takes the place of the model's;
 * `to`: the folder that is written, which may be inside `from`
 * @throws InputError for too many nested folders; FileError for a file that cannot be read, while it is written
 */
export async function carriedFiles(
  from: string,
  { adapter, to }: { adapter?: string | undefined; to?: string | undefined } = {},
): Promise<FolderChange> {
  const out = to === undefined ? undefined : await realpath(to).catch(() => undefined);
  const ofModel = await filesOf(from, out);
  const ofAdapter = adapter === undefined ? [] : (await filesOf(adapter, out)).filter(isTokenizer);
  const replaced = ofAdapter.some((file) => /^tokenizer(?:_config)?\.json$/.test(file));
  const write: Record<string, FileContent> = {};
  for (const file of ofModel) {
    if (!(replaced && isTokenizer(file))) write[file] = chunksOf(join(from, file));
  }
  for (const file of replaced ? ofAdapter : []) write[file] = chunksOf(join(adapter!, file));
  return { write, remove: (name) => name === generation || (isTokenizer(name) && name !== folder) };
}

const isTokenizer = (file: string): boolean => tokenizer.test(file.split('/')[0]!);

/** The files below a folder that are carried, by their path from it; links to folders are not followed. */
async function filesOf(
  folder: string,
  except: string | undefined,
  below = '',
  depth = 0,
): Promise<string[]> {
  if (depth > deepest) throw new InputError(`${folder}: has more than ${deepest} nested folders`);
  const found: string[] = [];
  for (const entry of await readdir(join(folder, below), { withFileTypes: true })) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`;
    const whole = join(folder, path);
    if (weights.test(entry.name) || (below === '' ? others : /^\./).test(entry.name)) continue;
    if (entry.isDirectory()) {
      if ((await realpath(whole)) === except) continue;
      found.push(...(await filesOf(folder, except, path, depth + 1)));
    } else if ((await stat(whole).catch(() => undefined))?.isFile()) {
      found.push(path);
    }
  }
  return found;
}

/** A file's bytes, read while they are written. */
async function* chunksOf(path: string): AsyncGenerator<Uint8Array> {
  const { handle } = await openFile(path);
  try {
    for await (const chunk of handle.createReadStream({ autoClose: false })) yield chunk;
  } finally {
    await handle.close();
  }
}
