import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';
import { program, repository } from './headwise.js';

/** `headwise serve` in a process of its own. */
export interface Served {
  child: ChildProcess;
  /** Ends with a slash. */
  url: string;
  /** The names of its models. */
  models: string[];
  /** What it wrote to standard error until now. */
  errors(): string;
  /** Sends JSON to a path, such as `v1/completions`. */
  post(path: string, body: unknown): Promise<Response>;
}

/** Serves a model folder at a free port, on cpu; ended with the test, unless it has ended before. */
export async function serve(model: string, ...args: string[]): Promise<Served> {
  const child = spawn(
    process.execPath,
    [program, 'serve', '--model', model, '--port', '0', '--json', ...args],
    { cwd: repository, env: { ...process.env, HEADWISE_BACKEND: 'cpu' } },
  );
  onTestFinished(() => void child.kill('SIGKILL'));
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    errors += text;
  });
  const [line] = (await Promise.race([
    once(child.stdout, 'data'),
    once(child, 'exit').then(([code]) => {
      throw new Error(`headwise serve ended with ${code}: ${errors}`);
    }),
  ])) as [Buffer];
  const { url, models } = JSON.parse(line.toString()) as { url: string; models: string[] };
  const post = (path: string, body: unknown) =>
    fetch(new URL(path, url), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  return { child, url, models, errors: () => errors, post };
}
