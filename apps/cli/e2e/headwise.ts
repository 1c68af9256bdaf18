import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { vi } from 'vitest';

export const program: string = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const built = new URL('../dist/run.js', import.meta.url).href;
export const repository: string = fileURLToPath(new URL('../../../', import.meta.url));

/** What a run of the command line gave. */
export interface Result {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs the built command line to its end, on the cpu backend unless told otherwise. */
export function headwise(args: readonly string[], input?: string | Uint8Array): Result {
  const env = { ...process.env, HEADWISE_BACKEND: process.env.E2E_BACKEND ?? 'cpu' };
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
    encoding: 'utf8',
    env,
    cwd: repository,
    ...(input === undefined ? {} : { input }),
  });
  return { code: status, stdout, stderr };
}

/** Runs the built command line in this process, without the second that a start takes: for what it says. */
export async function headwiseHere(args: readonly string[]): Promise<Result> {
  const { run } = (await import(built)) as typeof import('../src/run.js');
  const before = { backend: process.env.HEADWISE_BACKEND, code: process.exitCode };
  process.env.HEADWISE_BACKEND = 'cpu';
  process.exitCode = undefined;
  const stdout = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const written = ({ mock }: typeof stdout) => mock.calls.map(([text]) => String(text)).join('');
  try {
    const code = await run(args);
    return {
      code: code || Number(process.exitCode ?? 0),
      stdout: written(stdout),
      stderr: written(stderr),
    };
  } finally {
    stdout.mockRestore();
    stderr.mockRestore();
    process.exitCode = before.code;
    if (before.backend === undefined) delete process.env.HEADWISE_BACKEND;
    else process.env.HEADWISE_BACKEND = before.backend;
  }
}

/** Runs it on cpu and ends it with SIGKILL at that moment; false where it had ended before. */
export function headwiseKilled(args: readonly string[], moment: Promise<void>): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, HEADWISE_BACKEND: 'cpu' };
    const child = spawn(process.execPath, [program, ...args], { env, stdio: 'ignore' });
    moment.then(() => child.kill('SIGKILL'), reject);
    child.on('error', reject);
    child.on('exit', (_, signal) => resolve(signal === 'SIGKILL'));
  });
}

/** An empty folder of its own. */
export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'headwise-e2e-'));
}

/** A few hundred different short sentences. */
export function writeCorpus(folder: string): string {
  const subjects = ['the whale', 'the captain', 'a sailor', 'the old ship', 'our boat', 'the sea'];
  const verbs = ['saw', 'took', 'called', 'followed', 'lost', 'found'];
  const lines = subjects.flatMap((subject) =>
    verbs.flatMap((verb) => subjects.map((object) => `${subject} ${verb} ${object}.`)),
  );
  const path = join(folder, 'corpus.txt');
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}

/** A configuration that trains in a second, and its file. */
export function writeConfig(
  folder: string,
  change: (config: TinyConfig) => void = () => {},
): string {
  mkdirSync(folder, { recursive: true });
  const config = tinyConfig(writeCorpus(folder));
  change(config);
  const path = join(folder, 'config.json');
  writeFileSync(path, JSON.stringify(config));
  return path;
}

export type TinyConfig = ReturnType<typeof tinyConfig>;

function tinyConfig(corpus: string) {
  return {
    model: { family: 'gpt2', dim: 16, heads: 2, layers: 1, context: 16 } as Record<string, unknown>,
    tokenizer: { kind: 'byte-bpe', vocabSize: 280 } as Record<string, unknown>,
    data: { corpus, validation: 0.1 } as Record<string, unknown>,
    training: {
      seed: 3,
      steps: 12,
      batchSize: 2,
      learningRate: 0.01,
      warmupSteps: 2,
      checkpointEvery: 4,
    } as Record<string, unknown>,
  };
}

/** The lines of a JSON lines text. */
export function jsonLines(text: string): Record<string, unknown>[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** The training losses in a run's history, by step. */
export function lossesOf(folder: string): number[] {
  const losses: number[] = [];
  for (const entry of jsonLines(readFileSync(join(folder, 'trainer', 'history.jsonl'), 'utf8'))) {
    if (typeof entry.loss === 'number') losses[entry.step as number] = entry.loss;
  }
  return losses;
}
