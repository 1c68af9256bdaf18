import { InputError } from '@headwise/core';
import type { Command } from 'commander';
import { number } from '../numbers.js';
import { RayClient } from './client.js';

/** Options of every command that runs something on a cluster. */
export interface RayFlags {
  ray?: string | undefined;
  program?: string | undefined;
  cpus?: number | undefined;
  gpus?: number | undefined;
  shared?: string | undefined;
}

export const rayHelp = 'run on the Ray cluster with this dashboard, such as http://127.0.0.1:8265';

/** Adds the flags of `RayFlags` but `--ray`. */
export const withRayFlags = (command: Command): Command =>
  command
    .option('--program <command>', 'on the cluster: how headwise is called there, default headwise')
    .option('--cpus <n>', 'on the cluster: cores of a job, default 1', number)
    .option('--gpus <n>', 'on the cluster: GPUs of a job, default none', number)
    .option(
      '--shared <dir>',
      'a folder that the cluster sees by the same path: what it reads below it is not sent',
    );

/** A cluster that answers, and what a job takes of it. */
export interface Cluster {
  client: RayClient;
  program: string;
  cpus: number;
  gpus: number | undefined;
}

/**
 * The cluster that the flags name; undefined where they name none.
 *
 * @throws InputError for flags without a cluster; RayError where it does not answer or is too old
 */
export async function clusterOf({ ray, ...flags }: RayFlags): Promise<Cluster | undefined> {
  const { program = 'headwise', cpus = 1, gpus } = flags;
  if (ray === undefined) {
    for (const name of ['program', 'cpus', 'gpus', 'shared'] as const) {
      const value = flags[name];
      if (value !== undefined)
        throw new InputError(`--${name} is ${value}, expected with --ray only`);
    }
    return undefined;
  }
  for (const [name, value] of Object.entries({ cpus, gpus })) {
    if (value !== undefined && value < 0) {
      throw new InputError(`--${name} is ${value}; expected 0 or more`);
    }
  }
  const client = new RayClient(ray, { token: process.env.RAY_AUTH_TOKEN });
  await client.checkVersion();
  return { client, program, cpus, gpus };
}
