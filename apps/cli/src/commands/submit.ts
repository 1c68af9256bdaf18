import { InputError } from '@headwise/core';
import { Command } from 'commander';
import { integer } from '../numbers.js';
import { RayError } from '../ray/client.js';
import { type Cluster, clusterOf, type RayFlags, rayHelp, withRayFlags } from '../ray/flags.js';
import { type PackedCommand, packCommand } from '../ray/packing.js';
import { type Job, type JobEnd, runJob } from '../ray/run-job.js';
import { packageVersions } from '../ray/spec.js';
import { interrupted, interruptible } from '../signals.js';

interface SubmitOptions extends RayFlags {
  ray: string;
  shards?: number;
}

/** `headwise submit`: runs a command on a Ray cluster as if it ran here. */
export function submitCommand(): Command {
  const command = new Command('submit')
    .description(
      'run train, finetune, eval or data filter on a Ray cluster, and bring back its folder',
    )
    .argument('<command...>', 'what to run, after --: train --config run.json --out run')
    .requiredOption('--ray <url>', rayHelp);
  return withRayFlags(command)
    .option('--shards <n>', 'data filter: cut the work into n jobs', integer)
    .addHelpText(
      'after',
      `
  headwise submit --ray http://127.0.0.1:8265 -- train --config run.json --out run
Ctrl-C stops the job, which saves what it has done. The cluster needs the same version of headwise.
RAY_AUTH_TOKEN is the token of a cluster that asks for one.`,
    )
    .action(async (line: string[], options: SubmitOptions) => {
      const packed = await packCommand(line, options);
      const cluster = await clusterOf(options);
      if (!cluster) throw new InputError('--ray is missing');
      process.exitCode = await interruptible((stop) => runJobs(packed, cluster, stop));
      if (options.shards === undefined || process.exitCode !== 0) return;
      // All units are done: this adds up their counts.
      const filter = (await import('./data/filter.js')).filterCommand();
      await filter.exitOverride().parseAsync(line.slice(2), { from: 'user' });
    });
}

/** @returns the exit code of all: the first that is not 0 */
async function runJobs(
  { jobs, files, out }: PackedCommand,
  cluster: Cluster,
  stop: AbortSignal,
): Promise<number> {
  const brought = out?.spec.shared === undefined ? out?.path : undefined;
  const codes = await Promise.all(
    jobs.map(async (args, i) => {
      const before = jobs.length > 1 ? `shard ${i + 1}/${jobs.length}: ` : '';
      const job: Job = {
        ...cluster,
        ...{ files, stop, folder: brought, name: out?.path ?? '' },
        spec: {
          ...{ versions: packageVersions(), node: process.version, args },
          ...(out ? { out: out.spec } : {}),
        },
        onLine: (text) => process.stdout.write(`${before}${text}\n`),
        onNote: note,
        onSubmit: (id) => note(`headwise: ${before}job ${id} on ${cluster.client.address}`),
      };
      const { code, how } = await endOf(job, jobs.length > 1 ? shardAttempts : 1);
      if (code !== null) return code;
      if (stop.aborted) return interrupted;
      const kept = out ? `; ${out.path} has its last checkpoint, from which --resume goes on` : '';
      throw new RayError(`${cluster.client.address}: ${before}the job was lost: ${how}${kept}`);
    }),
  );
  return codes.find((code) => code !== 0) ?? 0;
}

/** How often a shard is tried; each retry skips the units that are done. */
const shardAttempts = 3;

async function endOf(job: Job, attempts: number): Promise<JobEnd> {
  const end = await runJob(job);
  if (end.code !== null || attempts === 1 || job.stop.aborted) return end;
  job.onNote(`headwise: a job was lost (${end.how}); going on with what is left of its shard`);
  return endOf(job, attempts - 1);
}

const note = (line: string): void => {
  process.stderr.write(`${line}\n`);
};
