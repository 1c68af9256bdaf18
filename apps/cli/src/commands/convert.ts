import { realpath, stat } from 'node:fs/promises';
import { checkOneOf, InputError } from '@headwise/core';
import { commit, writeFile } from '@headwise/files';
import type { LoadedModel } from '@headwise/models';
import {
  carriedFiles,
  ggufFile,
  ggufTypes,
  loadAdapter,
  loadModel,
  modelFiles,
  savedTypes,
} from '@headwise/models/node';
import { Command } from 'commander';
import { checkAdapterFolder } from '../adapter.js';
import { backendOption, start } from '../backend.js';
import { checkModelFolder } from '../model-folder.js';
import { checkOutFile } from '../out-file.js';
import { output } from '../output.js';

interface ConvertOptions {
  model: string;
  out: string;
  to: string;
  adapter?: string;
  dtype?: string;
  shardSize?: string;
  backend?: string;
  json?: boolean;
}

/** What a model is converted to. */
const forms = ['folder', 'gguf'] as const;

/**
 * `headwise convert`: a model folder written anew, in another type, in shards, or with an adapter merged in, and all that is
 * beside its weights; or one GGUF file.
 */
export function convertCommand(): Command {
  return new Command('convert')
    .requiredOption('--model <dir>', 'a model folder')
    .requiredOption(
      '--out <path>',
      'another folder, made where there is none, in which a model is replaced; of gguf, a file',
    )
    .option('--to <form>', 'folder, or gguf: one file that llama.cpp runs', 'folder')
    .option('--adapter <dir>', 'a LoRA adapter in the layout of PEFT, to merge into the weights')
    .option(
      '--dtype <type>',
      'f32 (default), f16 or bf16; of gguf: f32, f16 (default), q8_0 or q4_k',
    )
    .option('--shard-size <bytes>', 'the most bytes of one file of a folder; default 5e9')
    .option('--backend <name>', 'webgpu, wasm or cpu; an error where it cannot be had')
    .option('--json', 'print JSON: family, parameters, dtype, adapter')
    .action(async (options: ConvertOptions) => {
      const out = output(options.json ?? false);
      const { to, adapter } = options;
      checkOneOf('--to', to, forms);
      if (/\.gguf$/i.test(options.model)) {
        throw new InputError(
          `--model ${options.model} is a GGUF file; expected a folder, whose other files are taken along`,
        );
      }
      const write = to === 'gguf' ? await ggufWriter(options) : await folderWriter(options);
      const backend = backendOption(options.backend);
      await checkModelFolder(options.model);
      if (adapter !== undefined) await checkAdapterFolder(adapter);
      await start(out, backend);
      // What a file keeps packed is neither merged nor rounded.
      const model = await loadModel(options.model, { dtype: 'f32' });
      try {
        if (adapter) {
          const lora = await loadAdapter(adapter, model);
          lora.merge();
          lora.params.dispose();
        }
        const dtype = await write(model);
        const parameters = model.params.count();
        const { modelType: family } = model.family;
        out.emit({ family, parameters, dtype, adapter: adapter ?? null });
        out.say(
          `${family}, ${parameters.toLocaleString('en-US')} parameters in ${dtype}${adapter ? `, ${adapter} merged in` : ''}: ${options.out}`,
        );
      } finally {
        model.params.dispose();
      }
    });
}

/** Writes a model, and says in which type. */
type Write = (model: LoadedModel) => Promise<string>;

async function folderWriter(options: ConvertOptions): Promise<Write> {
  const { model: from, out: to, adapter, dtype = 'f32' } = options;
  checkOneOf('--dtype', dtype, savedTypes);
  const shardBytes = shardOption(options.shardSize);
  await checkOutFolder(to, from);
  return async (model) => {
    const beside = await carriedFiles(from, { adapter, to });
    const weights = modelFiles(model, { dtype, ...(shardBytes ? { shardBytes } : {}) });
    await commit(to, beside, weights);
    return dtype;
  };
}

async function ggufWriter({
  model: from,
  out,
  dtype = 'f16',
  shardSize,
}: ConvertOptions): Promise<Write> {
  checkOneOf('--dtype', dtype, ggufTypes);
  if (shardSize !== undefined) {
    throw new InputError('--shard-size is of --to folder; a GGUF file is written whole');
  }
  await checkOutFile('--out', out);
  return async (model) => {
    await writeFile(out, await ggufFile(model, from, { dtype }));
    return dtype;
  };
}

/** Whether the new folder can be one, and is not the model's own. */
async function checkOutFolder(out: string, model: string): Promise<void> {
  const there = await stat(out).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new InputError(`--out '${out}' cannot be made a folder: ${error.message}`);
  });
  if (!there) return;
  if (!there.isDirectory()) {
    throw new InputError(`--out '${out}' cannot be made a folder: it is a file`);
  }
  if ((await realpath(out)) === (await realpath(model))) {
    throw new InputError(`--out '${out}' is the folder of --model; expected another`);
  }
}

function shardOption(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const bytes = Number(text);
  if (Number.isSafeInteger(bytes) && bytes > 0) return bytes;
  throw new InputError(`--shard-size is '${text}'; expected a whole number of bytes, e.g. 2e9`);
}
