import { fork } from 'node:child_process';
import type { Run, Workload } from '@headwise/testing';
import { contestants, type Encode } from './goldens/contestants.node.js';
import { mobyDick } from './goldens/corpus.node.js';
import { published } from './goldens/read.node.js';

const lines = mobyDick().split('\n');

/** Splits contestants as the harness wants them. */
const arrange = (runs: Record<string, Run>) => {
  const { ours, ...peers } = runs;
  return { ours: ours!, peers };
};

const mapped = (file: string, make: (contestant: string, create: () => Encode) => Run) =>
  arrange(
    Object.fromEntries(
      Object.entries(contestants[file]!).map(([name, create]) => [name, make(name, create)]),
    ),
  );

const warm = (file: string): Workload => ({
  name: `tokenizers/encode/warm/${file}/moby-dick-lines`,
  backends: ['js'],
  installsPeers: true,
  prepare: () =>
    mapped(file, (_, create) => {
      const encode = create();
      return async () => {
        for (const line of lines) encode(line);
      };
    }),
});

const cold = (file: string): Workload => ({
  name: `tokenizers/encode/cold/${file}/moby-dick-lines`,
  backends: ['js'],
  installsPeers: true,
  prepare: () => mapped(file, (contestant) => () => coldPass(file, contestant)),
});

/** The first pass over the lines in a new process, by its own clock. */
function coldPass(file: string, contestant: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const program = new URL('./goldens/cold-pass.node.js', import.meta.url);
    const child = fork(program, [file, contestant]);
    child.once('message', resolve).once('error', reject);
    child.once('exit', (code) => reject(new Error(`${contestant} ended with ${code}`)));
  });
}

/** One line of a million letters: by its length the time per letter shows whether it is linear. */
const long = (file: string, length: number): Workload => ({
  name: `tokenizers/encode/long/${file}/${length}`,
  backends: ['js'],
  prepare: () => {
    const tokenizer = published(file);
    const letters = Array.from({ length }, (_, i) =>
      String.fromCharCode(97 + ((i * i + 3 * i) % 26)),
    );
    const line = letters.join('');
    return { ours: async () => tokenizer.encode(line), peers: {} };
  },
});

const files = Object.keys(contestants);

export const workloads: Workload[] = [
  ...files.map(warm),
  ...files.map(cold),
  ...files.flatMap((file) => [100_000, 1_000_000].map((length) => long(file, length))),
];
