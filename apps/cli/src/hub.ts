import { existsSync } from 'node:fs';
import type { WeightDtype } from '@headwise/models';
import type { HubFolderOptions } from '@headwise/models/node';
import type { Command } from 'commander';
import type { Output } from './output.js';

/** Commands whose `--model` is the folder of a run, not of a model. */
const ofRuns = ['export', 'import'];

interface HubFlags {
  model?: string;
  revision?: string;
  offline?: boolean;
  dtype?: WeightDtype;
  backend?: string;
  json?: boolean;
}

/**
 * Has every command with `--model` take a repository of a hub, `owner/name`, or a GGUF file of one, `owner/name/FILE.gguf`, where it takes a
 * folder: the command finds what was downloaded.
 */
export function takeRepositories(command: Command): void {
  command.commands.forEach(takeRepositories);
  const takes = command.options.some(({ long }) => long === '--model');
  if (!takes || ofRuns.includes(command.name())) return;
  command
    .option('--revision <name>', 'of a model of the hub: a branch, tag or commit; default main')
    .option('--offline', 'of a model of the hub: take what is in the cache, and ask nobody')
    .hook('preAction', async (_, action) => {
      const flags = action.opts<HubFlags>();
      if (flags.model === undefined) return;
      action.setOptionValue('model', await folderOf(flags.model, flags));
      // The command's own settings are what is left.
      for (const name of ['revision', 'offline']) action.setOptionValue(name, undefined);
    });
}

async function folderOf(model: string, flags: HubFlags): Promise<string> {
  const { revision, offline, json = false } = flags;
  if (existsSync(model)) {
    const given = revision !== undefined ? '--revision' : offline ? '--offline' : undefined;
    if (given === undefined) return model;
    const { InputError } = await import('@headwise/core');
    throw new InputError(
      `${given} is given, and --model '${model}' is on the disk; expected owner/name or owner/name/FILE.gguf`,
    );
  }
  const [{ modelFolder }, { output }] = await Promise.all([
    import('@headwise/models/node'),
    import('./output.js'),
  ]);
  return modelFolder(model, {
    ...hubOfEnvironment(),
    revision,
    offline,
    checkConfig: (config, name, packedBytes) => checkFits(config, name, flags, packedBytes),
    onDownload: told(output(json), model),
  });
}

/** The hub and the token that the environment names, as Hugging Face's own programs read it. */
function hubOfEnvironment(): HubFolderOptions {
  const { HF_ENDPOINT: endpoint, HF_TOKEN: token, HEADWISE_CONTENT_HOSTS: hosts } = process.env;
  return {
    ...(token ? { token } : {}),
    // Who names a hub of plain http on this machine means it.
    ...(endpoint ? { endpoint, allowLoopbackHttp: endpoint.startsWith('http:') } : {}),
    ...(hosts ? { contentHosts: hosts.split(',') } : {}),
  };
}

/** Throws for a model that does not fit into the memory of the device that the command will run on. */
async function checkFits(
  config: unknown,
  name: string,
  flags: HubFlags,
  packedBytes: number | undefined,
): Promise<void> {
  const [{ checkConfigFits }, { backendOption }, { start }] = await Promise.all([
    import('@headwise/models/internal'),
    import('./backend.js'),
    import('@headwise/kernels'),
  ]);
  const prefer = backendOption(flags.backend);
  await start({ prefer, warn: () => {} });
  checkConfigFits(config, name, { dtype: flags.dtype, packedBytes });
}

/** Milliseconds between two lines about a download. */
const interval = 10_000;
/** A download of fewer bytes is not spoken of. */
const small = 2 ** 25;

function told(out: Output, model: string): NonNullable<HubFolderOptions['onDownload']> {
  let next = 0;
  return ({ loadedBytes, totalBytes }) => {
    if (totalBytes < small || performance.now() < next) return;
    next = performance.now() + interval;
    const [loaded, total] = [loadedBytes, totalBytes].map((bytes) => (bytes / 1e6).toFixed(0));
    out.note(`headwise: ${model}: ${loaded} of ${total} MB are here`);
  };
}
