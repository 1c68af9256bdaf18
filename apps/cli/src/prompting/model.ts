import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { InputError } from '@headwise/core';
import type { WeightDtype } from '@headwise/models';
import { localModel, type PromptModel, serverModel, serverModels } from '@headwise/prompting';
import { weightsHash } from '@headwise/runs/node';
import { load } from '@headwise/text/node';
import { findChatTemplate, loadTokenizer } from '@headwise/tokenizers/node';
import type { Command } from 'commander';
import { checkAdapterFolder, withAdapter } from '../adapter.js';
import { backendOption, start } from '../backend.js';
import { checkModelFolder } from '../model-folder.js';
import { integer, number } from '../numbers.js';
import type { Output } from '../output.js';
import { dtypeOption } from '../weights.js';

/** The options of `addPromptModelFlags`. */
export interface PromptModelFlags {
  model?: string;
  adapter?: string;
  generationConfig: boolean;
  dtype?: WeightDtype | undefined;
  backend?: string;
  url?: string;
  name?: string;
  keyVariable?: string;
  tokenizer?: string;
  context?: number;
  concurrent?: number;
  requestsPerMinute?: number;
  retries?: number;
  timeout?: number;
}

/** Adds the options that name the model of a prompt: a folder, or a server by its address. */
export function addPromptModelFlags(command: Command): Command {
  return command
    .option('--model <dir>', 'a model folder or a GGUF file')
    .option('--adapter <dir>', 'a LoRA adapter in the layout of PEFT')
    .option('--no-generation-config', "leave the folder's generation_config.json aside")
    .addOption(dtypeOption())
    .option('--backend <name>', 'webgpu, wasm or cpu; an error where it cannot be had')
    .option(
      '--url <address>',
      "in place of --model: a server in the form of OpenAI's API, such as http://127.0.0.1:8080/v1",
    )
    .option('--name <name>', 'what the server calls the model; default the only one it lists')
    .option('--key-variable <name>', "the environment variable with the server's key; default none")
    .option('--tokenizer <dir>', "a folder with the model's tokenizer, to count a server's tokens")
    .option('--context <n>', "tokens that the server's model holds; default unlimited", integer)
    .option('--concurrent <n>', 'requests under way at a time, default 4', integer)
    .option('--requests-per-minute <n>', 'begun at most; default unlimited', number)
    .option('--retries <n>', 'of a request that failed, default 5', integer)
    .option('--timeout <s>', 'seconds that an answer may take, default 120', number);
}

/** A model that is opened for prompts. */
export interface OpenedPromptModel {
  readonly model: PromptModel;
  /** SHA-256 of the weights (and of the adapter's, behind a `+`) of a folder; of a server, which says nothing of them, its address. */
  readonly revision: string;
  dispose(): void;
}

const ofFolder = ['adapter', 'backend'] as const;
const ofServer = [
  ...(['name', 'keyVariable', 'tokenizer', 'context', 'concurrent'] as const),
  ...(['requestsPerMinute', 'retries', 'timeout'] as const),
];

/**
 * Opens the model that `--model` or `--url` names, for everything that works with prompts.
 *
 * @throws InputError for both or none of them, and for an option of the other one; ServerModelError where no server answers at the address
 */
export async function openPromptModel(
  flags: PromptModelFlags,
  out: Output,
): Promise<OpenedPromptModel> {
  const { model, url } = flags;
  if ((model === undefined) === (url === undefined)) {
    const given = model === undefined ? 'neither --model nor --url is' : '--model and --url are';
    throw new InputError(`${given} given; expected one of them`);
  }
  const [other, needed] = url === undefined ? [ofServer, '--url'] : [ofFolder, '--model'];
  const strange = other.find((name) => flags[name] !== undefined);
  if (strange !== undefined) {
    throw new InputError(`${flagOf(strange)} is given without ${needed}; expected both or neither`);
  }
  return url === undefined ? openFolder(model!, flags, out) : openServer(url, flags);
}

const flagOf = (name: string): string =>
  `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

async function openFolder(
  folder: string,
  { adapter, generationConfig, dtype, backend }: PromptModelFlags,
  out: Output,
): Promise<OpenedPromptModel> {
  const named = backendOption(backend);
  await checkModelFolder(folder);
  if (adapter !== undefined) await checkAdapterFolder(adapter);
  const revisions = await Promise.all([
    weightsHash(folder),
    ...(adapter === undefined ? [] : [adapterHash(adapter)]),
  ]);
  await start(out, named);
  const { model: bare, tokenizer } = await load(folder, {
    dtype,
    ignoreGenerationConfig: !generationConfig,
    warn: out.note,
  });
  const model = adapter === undefined ? bare : await withAdapter(bare, adapter);
  const name = [folder, ...(adapter === undefined ? [] : [adapter])]
    .map((path) => basename(resolve(path)))
    .join('+');
  return {
    model: localModel({ model, tokenizer }, { name }),
    revision: revisions.join('+'),
    dispose: () => model.params.dispose(),
  };
}

async function adapterHash(folder: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(join(folder, 'adapter_model.safetensors')), hash);
  return hash.digest('hex');
}

async function openServer(
  url: string,
  { name, tokenizer: folder, context, timeout, ...flags }: PromptModelFlags,
): Promise<OpenedPromptModel> {
  const { keyVariable, concurrent, requestsPerMinute, retries } = flags;
  const requests = {
    ...{ url, keyVariable, concurrent, requestsPerMinute, retries },
    timeout: timeout === undefined ? undefined : Math.ceil(timeout * 1000),
  };
  const tokenizer = folder === undefined ? undefined : await loadTokenizer(folder);
  const chatTemplate = folder === undefined ? undefined : await findChatTemplate(folder);
  return {
    model: serverModel({
      ...requests,
      model: name ?? (await onlyModelOf({ ...requests, retries: retries ?? 0 })),
      contextLength: context,
      tokenizer,
      chatTemplate,
    }),
    revision: url,
    dispose() {},
  };
}

async function onlyModelOf(requests: Parameters<typeof serverModels>[0]): Promise<string> {
  const names = await serverModels(requests);
  if (names.length === 1) return names[0]!;
  const listed = names.length === 0 ? 'none' : names.map((name) => `'${name}'`).join(', ');
  throw new InputError(
    `${requests.url}: the server lists ${names.length} models (${listed}); expected one of them in --name`,
  );
}
