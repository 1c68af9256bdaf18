import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** What the first thing that a process does took. */
export interface Start {
  ms: number;
  /** The same again in that process, where all is compiled. */
  againMs?: number | undefined;
  /** GPU pipelines that were made, and those of them that were waited for when an operation first used them. */
  pipelines: number;
  waitedFor: number;
  /** Processor time of `ms`, of all threads: other processes change it less. */
  processorMs: number;
}

const child = fileURLToPath(new URL('child.js', import.meta.url));

/**
 * Measures one thing in a new process, which finds no pipelines in a cache of the driver on disk.
 *
 * @param args of `child.js`
 */
export async function started(...args: string[]): Promise<Start> {
  const process_ = fork(child, args, {
    env: { ...process.env, MESA_SHADER_CACHE_DISABLE: 'true' },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const exited = once(process_, 'exit');
  const [answer] = await Promise.race([
    once(process_, 'message'),
    exited.then(([code]) => {
      throw new Error(`start-up ${args[0]}: the process ended with ${code}; expected a time`);
    }),
  ]);
  await exited;
  return answer as Start;
}
