import { stat } from 'node:fs/promises';
import { basename, isAbsolute, relative, resolve, sep } from 'node:path';
import { InputError } from '@headwise/core';
import { isAddress } from '@headwise/data/node';
import { readBytes } from '@headwise/files';
import { isSharded, type RunConfig } from '@headwise/runs';
import { readCorpus, readRunFile } from '@headwise/runs/node';
import type { Command } from 'commander';
import { pathsOfStep, readPipeline } from '../commands/data/pipeline.js';
import { isShards } from '../commands/data/stats.js';
import { filesAt, filesOf, type PackageFiles } from './package.js';
import { type JobSpec, seedPlace } from './spec.js';

/** A command line that is ready for a cluster. */
export interface PackedCommand {
  /** One for each job: several where the work is cut into shards. */
  jobs: string[][];
  files: PackageFiles;
  /** Where its folder is here, and how it comes back. */
  out?: { path: string; spec: NonNullable<JobSpec['out']> } | undefined;
}

/** Options of the commands that can be submitted, as their own parsers give them. */
interface Options {
  config: string;
  set?: string[];
  corpus?: string;
  model: string;
  data: string;
  text: string;
  out: string;
  tensorboard?: string;
  pipeline: string;
}

/** The commands that can be submitted, and what of their options names files. */
const commands: Record<
  string,
  { load: () => Promise<Command>; pack: (options: Options, inputs: Inputs) => Promise<string[]> }
> = {
  train: {
    load: async () => (await import('../commands/train.js')).trainCommand(),
    async pack({ config, set, corpus }, inputs) {
      const { data } = await readRunFile(config, set);
      inputs.expectSharedShards(data, config);
      const args = ['--config', await inputs.add('config', config)];
      if (!('corpus' in data)) return args;
      return [...args, '--corpus', await inputs.addText('corpus', corpus ?? data.corpus, config)];
    },
  },
  finetune: {
    load: async () => (await import('../commands/finetune.js')).finetuneCommand(),
    async pack({ model, data }, inputs) {
      if (isShards(data) || data.endsWith('.json')) inputs.expectShared(data, '--data');
      return [
        ...['--model', await inputs.add('model', model)],
        ...['--data', await inputs.add('data', data)],
      ];
    },
  },
  eval: {
    load: async () => (await import('../commands/eval.js')).evalCommand(),
    pack: async ({ model, text }, inputs) => [
      ...['--model', await inputs.add('model', model)],
      ...['--text', await inputs.addText('text', text)],
    ],
  },
  'data filter': {
    load: async () => (await import('../commands/data/filter.js')).filterCommand(),
    async pack({ pipeline: file }, inputs) {
      const { inputs: read, filter } = await readPipeline(file);
      if (!filter) throw new InputError(`${file}: 'filter' is missing`);
      const paths = read.map((input) => (typeof input === 'string' ? input : input.path));
      for (const path of [...paths, filter.out, ...filter.steps.flatMap(pathsOfStep)]) {
        if (!isAddress(path)) inputs.expectShared(path, file);
      }
      const packed = JSON.stringify({ inputs: read, filter });
      inputs.files['in/pipeline.json'] = new TextEncoder().encode(packed);
      return ['--pipeline', 'in/pipeline.json'];
    },
  },
};

/**
 * Packs a command: the files that it reads and the folder that it goes on in, but for what lies below a folder that the
 * cluster sees too.
 *
 * @param line the command's name and arguments
 * @throws InputError naming a command or an option that cannot be submitted, or a file that cannot be read; what the command's
 * own parser throws
 */
export async function packCommand(
  line: readonly string[],
  { shared, shards }: { shared?: string | undefined; shards?: number | undefined },
): Promise<PackedCommand> {
  const length = line[0] === 'data' ? 2 : 1;
  const name = line.slice(0, length).join(' ');
  const args = line.slice(length);
  const found = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!found) {
    throw new InputError(
      `submit: '${name}' cannot be submitted; expected ${Object.keys(commands).join(', ')}`,
    );
  }
  // The command's own parser, without the command.
  const command = (await found.load()).exitOverride().action(() => {});
  await command.parseAsync(args, { from: 'user' });
  const options = command.opts<Options>();
  if (options.tensorboard !== undefined) {
    throw new InputError(
      `submit: --tensorboard ${options.tensorboard} is not brought back; leave it out: trainer/history.jsonl has the losses`,
    );
  }
  const inputs = new Inputs(shared);
  // Of an option that is given twice, the last counts.
  const whole = [...line, ...(await found.pack(options, inputs))];
  const packed = { jobs: shardsOf(whole, name, shards), files: inputs.files };
  if (options.out === undefined) return packed;
  if (options.out === '') throw new InputError("--out is ''; expected the name of a folder");
  const path = resolve(options.out);
  if (inputs.isShared(path))
    return { ...packed, out: { path, spec: { shared: path, whole: true } } };
  const seeds = (await isFolder(path)) ? await filesOf(path) : {};
  Object.assign(packed.files, filesAt(seedPlace, seeds));
  return { ...packed, out: { path, spec: { whole: true } } };
}

function shardsOf(args: string[], name: string, shards: number | undefined): string[][] {
  if (shards === undefined) return [args];
  if (name !== 'data filter') {
    throw new InputError(`--shards is ${shards}, expected with data filter only, not ${name}`);
  }
  if (shards < 1) throw new InputError(`--shards is ${shards}; expected 1 or more`);
  return Array.from({ length: shards }, (_, i) => [...args, '--shard', `${i + 1}/${shards}`]);
}

/** The files that a command reads, at their places in the package. */
export class Inputs {
  readonly files: PackageFiles = {};
  readonly #shared: string | undefined;

  constructor(shared: string | undefined) {
    this.#shared = shared === undefined ? undefined : resolve(shared);
  }

  /** Whether the cluster sees a path too. */
  isShared(path: string): boolean {
    if (this.#shared === undefined) return false;
    const below = relative(this.#shared, resolve(path));
    return below !== '..' && !below.startsWith(`..${sep}`);
  }

  /** @throws InputError where the cluster does not see a path that is too large to send, or whose name is a part of the result */
  expectShared(path: string, file: string): void {
    if (isAbsolute(path) && this.isShared(path)) return;
    const given = this.#shared === undefined ? '' : ` ${this.#shared}`;
    throw new InputError(
      `${file}: ${path} is not an absolute path below --shared${given}, a folder that the cluster sees by the same path`,
    );
  }

  /** @throws InputError where a run learns from shards that the cluster does not see */
  expectSharedShards(data: RunConfig['data'], file: string): void {
    if (isSharded(data)) this.expectShared(data.shards ?? data.mixture!, file);
  }

  /** Takes a file or a folder along, and says where it is there. */
  async add(name: string, path: string): Promise<string> {
    if (this.isShared(path)) return resolve(path);
    const place = `in/${name}`;
    if (await isFolder(path)) {
      Object.assign(this.files, filesAt(place, await filesOf(path)));
      return place;
    }
    const file = `${place}/${basename(path)}`;
    this.files[file] = await readBytes(path);
    return file;
  }

  /** Takes a text along: that of a file, of a folder's `.txt` files, or of a package, which the cluster need not have. */
  async addText(name: string, corpus: string, from?: string): Promise<string> {
    if (!corpus.startsWith('npm:') && this.isShared(corpus)) return resolve(corpus);
    const file = `in/${name}.txt`;
    this.files[file] = new TextEncoder().encode(await readCorpus(corpus, from));
    return file;
  }
}

const isFolder = async (path: string): Promise<boolean> =>
  (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
