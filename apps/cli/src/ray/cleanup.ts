import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('cleanup-process.js', import.meta.url));

/** Kills a process and removes a folder when this process ends, by whatever: a second process waits for that. */
export class Cleanup {
  readonly #waiting: ChildProcess;

  /** @param folder absent: there is only a process to kill */
  constructor(folder?: string | undefined) {
    // Detached: a signal for the group of this process does not end both.
    this.#waiting = spawn(process.execPath, [program, ...(folder === undefined ? [] : [folder])], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    });
    // Where it was killed, nobody reads this.
    this.#waiting.stdin!.on('error', () => {});
  }

  /** The process that is killed; undefined when it has ended by itself. */
  ofProcess(pid: number | undefined): void {
    this.#waiting.stdin!.write(`${pid ?? ''}\n`);
  }

  /** Cleans up now. */
  async run(): Promise<void> {
    if (this.#waiting.exitCode !== null || this.#waiting.signalCode !== null) return;
    const ended = once(this.#waiting, 'close');
    this.#waiting.stdin!.end();
    await ended;
  }
}
