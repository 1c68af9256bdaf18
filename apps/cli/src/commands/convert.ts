import { realpath, stat } from 'node:fs/promises';
import { checkOneOf, InputError } from '@headwise/core';
import { commit } from '@headwise/files';
import {
  carriedFiles,
  loadAdapter,
  loadModel,
  modelFiles,
  savedTypes,
} from '@headwise/models/node';
import { Command } from 'commander';
import { checkAdapterFolder } from '../adapter.js';
import { backendOption, start } from '../backend.js';
import { checkModelFolder } from '../model-folder.js';
import { output } from '../output.js';

interface ConvertOptions {
  model: string;
  out: string;
  adapter?: string;
  dtype: string;
  shardSize?: string;
  backend?: string;
  json?: boolean;
}

/**
 * `headwise convert`: a model folder written anew, in another type, in shards, or with an adapter merged in; all that is
 * beside its weights goes along.
 */
export function convertCommand(): Command {
  return new Command('convert')
    .requiredOption('--model <dir>', 'a model folder')
    .requiredOption(
      '--out <dir>',
      'another folder, made where there is none; a model in it is replaced',
    )
    .option('--adapter <dir>', 'a LoRA adapter in the layout of PEFT, to merge into the weights')
    .option('--dtype <type>', 'f32, f16 or bf16', 'f32')
    .option('--shard-size <bytes>', 'the most bytes of one file; default 5e9')
    .option('--backend <name>', 'webgpu, wasm or cpu; an error where it cannot be had')
    .option('--json', 'print JSON: family, parameters, dtype, adapter')
    .action(async (options: ConvertOptions) => {
      const out = output(options.json ?? false);
      const { dtype } = options;
      checkOneOf('--dtype', dtype, savedTypes);
      const shardBytes = shardOption(options.shardSize);
      const backend = backendOption(options.backend);
      await checkModelFolder(options.model);
      if (options.adapter !== undefined) await checkAdapterFolder(options.adapter);
      await checkOutFolder(options.out, options.model);
      await start(out, backend);
      const model = await loadModel(options.model);
      try {
        if (options.adapter) {
          const lora = await loadAdapter(options.adapter, model);
          lora.merge();
          lora.params.dispose();
        }
        const { adapter, out: to } = options;
        const beside = await carriedFiles(options.model, { adapter, to });
        const weights = modelFiles(model, { dtype, ...(shardBytes ? { shardBytes } : {}) });
        await commit(to, beside, weights);
        const parameters = model.params.count();
        const { modelType: family } = model.family;
        out.emit({ family, parameters, dtype, adapter: options.adapter ?? null });
        out.say(
          `${family}, ${parameters.toLocaleString('en-US')} parameters in ${dtype}${options.adapter ? `, ${options.adapter} merged in` : ''}: ${options.out}`,
        );
      } finally {
        model.params.dispose();
      }
    });
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
