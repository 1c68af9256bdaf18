import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** What a side answers, by the name of the question. */
export interface Answers {
  workloads: {
    name: string;
    backends?: readonly string[] | undefined;
    installsPeers?: boolean | undefined;
  }[];
  /** About a backend. */
  start: { adapter: string | null };
  /** About a workload: two runs to warm up, with the memory of the second, or why the adapter refuses it. */
  prepare: { peakBytes: number | null } | { refused: string };
  round: { ms: number };
  dispose: object;
}

/** What a side is asked. */
export interface Question {
  question: keyof Answers;
  /** A workload or a backend. */
  about: string;
}

/** A process that times the workloads of one working tree. */
export class Side {
  readonly #child: ChildProcess;
  readonly #name: string;

  /**
   * @param name for errors
   * @param program the built harness in that tree, a folder `dist` or a copy beside it
   * @param quiet whether nothing of what it writes is shown
   */
  constructor(name: string, program: string, quiet: boolean) {
    this.#name = name;
    const output = quiet ? 'ignore' : 'inherit';
    // Peers in other processes are not compared.
    const { HEADWISE_TORCH_PYTHON: _, ...env } = process.env;
    this.#child = fork(join(program, 'compare', 'side.js'), {
      stdio: ['ignore', output, 'inherit', 'ipc'],
      env,
    });
  }

  async ask<K extends keyof Answers>(question: K, about = ''): Promise<Answers[K]> {
    const ended = new AbortController();
    const answered = once(this.#child, 'message', { signal: ended.signal });
    const exited = once(this.#child, 'exit', { signal: ended.signal });
    answered.catch(() => {});
    exited.catch(() => {});
    try {
      const isOver = this.#child.exitCode !== null || this.#child.signalCode !== null;
      if (!isOver && this.#child.connected)
        this.#child.send({ question, about } satisfies Question);
      const [message] = isOver
        ? [undefined]
        : await Promise.race([answered, exited.then(() => [undefined])]);
      const { answer, error } = (message ?? { error: 'its process ended' }) as {
        answer?: Answers[K];
        error?: string;
      };
      if (error !== undefined) throw new Error(`${this.#name}: ${question} ${about}: ${error}`);
      return answer!;
    } finally {
      ended.abort();
    }
  }

  /** Ends the process. */
  end(): void {
    this.#child.kill();
  }
}
