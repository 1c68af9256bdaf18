import { mkdir, realpath } from 'node:fs/promises';
import { checkOneOf, InputError } from '@headwise/core';
import { loadAdapter, loadModel, savedTypes, saveModel } from '@headwise/models/node';
import { Command } from 'commander';
import { backendOption, start } from '../backend.js';
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

/** `headwise convert`: a model folder written anew, in another type, in shards, or with an adapter merged in. */
export function convertCommand(): Command {
  return new Command('convert')
    .description('write a model folder anew: in another type, in shards, with an adapter merged in')
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
      await start(out, backendOption(options.backend));
      const model = await loadModel(options.model);
      try {
        if (options.adapter) {
          const lora = await loadAdapter(options.adapter, model);
          lora.merge();
          lora.params.dispose();
        }
        await mkdir(options.out, { recursive: true }).catch((error: Error) => {
          throw new InputError(`--out '${options.out}' cannot be made a folder: ${error.message}`);
        });
        if ((await realpath(options.out)) === (await realpath(options.model))) {
          throw new InputError(`--out '${options.out}' is the folder of --model; expected another`);
        }
        await saveModel(options.out, model, { dtype, ...(shardBytes ? { shardBytes } : {}) });
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

function shardOption(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const bytes = Number(text);
  if (Number.isSafeInteger(bytes) && bytes > 0) return bytes;
  throw new InputError(`--shard-size is '${text}'; expected a whole number of bytes, e.g. 2e9`);
}
