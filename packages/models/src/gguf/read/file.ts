import { InputError } from '@headwise/core';
import { GgufError, type GgufHeader, readGgufHeader } from '@headwise/gguf';
import type { ByteSource } from '@headwise/safetensors';
import type { CheckpointFiles } from '../../checkpoint/checkpoint-files.js';
import type { ModelFamily } from '../../family.js';
import { ggufArchitecture } from '../gguf-model.js';
import { ggufConfiguration } from './configuration.js';
import { GgufReader } from './reader.js';
import { GgufSettings } from './settings.js';
import { ggufTokenizerFiles } from './tokenizer.js';

/** Tensors that belong to the configuration. */
const factorNames = [
  'rope_freqs.weight',
  'rope_factors_long.weight',
  'rope_factors_short.weight',
] as const;

/** Whether a name or an address is that of a GGUF file. */
export const isGgufName = (name: string): boolean => /\.gguf$/i.test(name.replace(/[?#].*$/, ''));

/**
 * A GGUF file as the folder of a checkpoint: its `config.json`, `tokenizer.json` and `tokenizer_config.json` follow from its metadata.
 *
 * @param name stands for the file in errors
 * @param openFile opens it, more than once
 */
export function ggufFiles(name: string, openFile: () => Promise<ByteSource>): CheckpointFiles {
  let read: Promise<{ header: GgufHeader; documents: Map<string, string> }> | undefined;
  const contents = () => {
    read ??= withSource(openFile, async (source) => {
      const header = await readGgufHeader(source);
      return { header, documents: await documentsOf(header, source) };
    });
    return read;
  };
  return {
    name,
    async open(file) {
      const text = (await contents()).documents.get(file);
      if (text === undefined) return undefined;
      const bytes = new TextEncoder().encode(text);
      return {
        name: `${name}: ${file}`,
        size: bytes.length,
        read: async (position, into) => into.set(bytes.subarray(position, position + into.length)),
        close: async () => {},
      };
    },
    async tensors() {
      const { header } = await contents();
      const reader = new GgufReader(await openFile(), header);
      return { reader, name, storedAs: (family, config) => storedAs(family, config, reader) };
    },
  };
}

/** A family whose checkpoints are laid out as llama.cpp has them. */
function storedAs(family: ModelFamily, config: unknown, reader: GgufReader): ModelFamily {
  const { names, plusOne } = ggufArchitecture(family.modelType, config);
  reader.plusOne = plusOne;
  return {
    ...family,
    keys: () => names,
    keyPrefix: '',
    ignoredKeys: /^rope_(freqs|factors_long|factors_short)\.weight$/,
    // What is tied, the file has once; the configuration was read from that.
    copies: () => [],
    fitted: (own) => own,
    optionalKeys: undefined,
    oldKey: (key) => key,
  };
}

async function documentsOf(header: GgufHeader, source: ByteSource): Promise<Map<string, string>> {
  const reader = new GgufReader(source, header);
  const factors = new Map<string, readonly number[]>();
  for (const name of factorNames) {
    if (!header.tensors.has(name)) continue;
    factors.set(name, [...((await reader.read(name)).data as Float32Array)]);
  }
  const parts = header.metadata.get('split.count') ?? 1;
  if (Number(parts) > 1) {
    throw new InputError(
      `${source.name}: is one of ${parts} parts of a model ('split.count'); expected one file, as llama.cpp's \`llama-gguf-split --merge\` writes it`,
    );
  }
  const settings = new GgufSettings(header, source.name, factors);
  const config = ggufConfiguration(settings, source.name);
  const files = { 'config.json': config, ...ggufTokenizerFiles(header.metadata, source.name) };
  return new Map(Object.entries(files).map(([file, json]) => [file, JSON.stringify(json)]));
}

/** What is read of a source, which is closed after; its errors are of what was given. */
async function withSource<T>(
  open: () => Promise<ByteSource>,
  read: (source: ByteSource) => Promise<T>,
): Promise<T> {
  const source = await open();
  try {
    return await read(source);
  } catch (error) {
    throw error instanceof GgufError ? new InputError(error.message, { cause: error }) : error;
  } finally {
    await source.close();
  }
}
