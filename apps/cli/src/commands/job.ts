import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { InputError } from '@headwise/core';
import { Command } from 'commander';
import { Cleanup } from '../ray/cleanup.js';
import { recordLine } from '../ray/records.js';
import { SentFolder } from '../ray/sent-folder.js';
import { type JobSpec, packageVersions, seedPlace, versionProblem } from '../ray/spec.js';
import { interruptible } from '../signals.js';

const program = fileURLToPath(new URL('../main.js', import.meta.url));

/** `headwise job`: what `submit` and `sweep --ray` start on a cluster; its log is read by them. */
export function jobCommand(): Command {
  return new Command('job')
    .argument('<file>', 'the job.json of a package that headwise submit has made')
    .action(async (file: string) => {
      const spec = await readSpec(file);
      const problem = versionProblem(spec.versions, packageVersions());
      if (problem !== undefined) {
        say(recordLine({ type: 'refused', problem }));
        throw new InputError(problem);
      }
      // The first signal is for the command, which saves what it has done; this process brings it back.
      process.exitCode = await interruptible((stop) => runJob(spec, dirname(resolve(file)), stop));
    });
}

async function readSpec(file: string): Promise<JobSpec> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as JobSpec;
  } catch (cause) {
    throw new InputError(`${file}: cannot be read as a job: ${(cause as Error).message}`, {
      cause,
    });
  }
}

const say = (text: string): void => {
  process.stdout.write(text);
};

/** Milliseconds between two looks at the folder. */
const interval = 500;

async function runJob({ args, out }: JobSpec, place: string, stop: AbortSignal): Promise<number> {
  const temporary =
    out && out.shared === undefined ? await mkdtemp(join(tmpdir(), 'headwise-job-')) : undefined;
  const cleanup = new Cleanup(temporary);
  try {
    const folder = temporary === undefined ? out?.shared : join(temporary, 'out');
    say(recordLine({ type: 'begin', out: folder ?? null, inputs: place, node: process.version }));
    const sent =
      temporary === undefined ? undefined : await seeded(folder!, join(place, seedPlace));
    const send = () => (out?.whole ? sent?.sendWhole() : sent?.sendFiles());
    const child = spawn(
      process.execPath,
      [program, ...args, ...(folder === undefined ? [] : ['--out', folder])],
      { cwd: place, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    cleanup.ofProcess(child.pid);
    // Ray signals the command too; a second signal so soon after the first counts as the same.
    const onStop = () => child.kill('SIGTERM');
    stop.addEventListener('abort', onStop);
    for (const stream of [child.stdout, child.stderr]) {
      createInterface(stream).on('line', (line) => say(`${line}\n`));
    }
    const ended = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
    let running = true;
    const follow = async () => {
      while (running) {
        await Promise.race([ended, new Promise((done) => setTimeout(done, interval))]);
        await send();
      }
    };
    const following = follow();
    const [code, signal] = await ended;
    cleanup.ofProcess(undefined);
    running = false;
    await following;
    await send();
    say(recordLine({ type: 'end', code, signal }));
    return code ?? 1;
  } finally {
    await cleanup.run();
  }
}

/** The folder as the client has it, ready to go on in. */
async function seeded(folder: string, seeds: string): Promise<SentFolder> {
  await cp(seeds, folder, { recursive: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  return SentFolder.of(folder, say);
}
