import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Run, Workload } from '@headwise/testing';
import { trainByteLevelBpe } from '@headwise/tokenizers';
import { MinHash } from './dedup/minhash.js';
import type { Document } from './documents/document.js';
import { applySteps, emptyTally } from './documents/tally.js';
import { mixedDocuments } from './goldens/mixed-documents.node.js';
import { c4Quality } from './quality/c4-quality.js';
import { finewebQuality } from './quality/fineweb-quality.js';
import { gopherQuality } from './quality/gopher-quality.js';
import { gopherRepetition } from './quality/gopher-repetition.js';

const script = fileURLToPath(new URL('../../../tools/peers/datatrove-step.py', import.meta.url));

/** The Python that has datatrove, spaCy and tokenizers, where the environment names one. */
const datatrovePython = process.env.HEADWISE_DATATROVE_PYTHON;

/** Does the work of `task` on the same texts with datatrove, in a process of its own with one thread, by the processor's time. */
function datatrove(task: object): { run: Run; dispose: () => void } | undefined {
  if (!datatrovePython) {
    console.log('  no datatrove: HEADWISE_DATATROVE_PYTHON names no Python with datatrove');
    return undefined;
  }
  const child = spawn(datatrovePython, [script], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  child.stdin.write(`${JSON.stringify(task)}\n`);
  return {
    async run() {
      child.stdin.write('\n');
      const { value, done } = await lines.next();
      if (done) throw new Error(`${datatrovePython} ${script} ended; expected datatrove there`);
      return JSON.parse(value) as { ms: number };
    },
    dispose: () => void child.stdin.end(),
  };
}

/** A run by the processor's time, which other work on the machine does not lengthen. */
const byProcessor =
  (work: () => Promise<void>): Run =>
  async () => {
    const before = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(before);
    return { ms: (user + system) / 1000 };
  };

/** Texts of mixed quality, about 2,600 bytes each. */
const count = 300;

function workload(
  task: string,
  prepare: (documents: Document[]) => Promise<{ ours: () => Promise<void>; given?: object }>,
) {
  return {
    name: `data/${task}/moby-dick-${count}`,
    backends: ['js'],
    async prepare() {
      const documents = mixedDocuments(count);
      const { ours, given } = await prepare(documents);
      const peer = datatrove({ task, texts: documents.map(({ text }) => text), ...given });
      return {
        ours: byProcessor(ours),
        peers: peer ? { datatrove: peer.run } : {},
        dispose: () => peer?.dispose(),
      };
    },
  } satisfies Workload;
}

export const workloads: Workload[] = [
  workload('filters', async (documents) => {
    const steps = [gopherRepetition(), gopherQuality(), c4Quality(), finewebQuality()];
    return {
      ours: async () => {
        const tally = emptyTally(steps);
        for (const document of documents) await applySteps([document], steps, tally);
      },
    };
  }),
  workload('tokenize', async (documents) => {
    const text = documents.map((document) => document.text).join('\n');
    const tokenizer = await trainByteLevelBpe([text], { vocabSize: 8192 });
    return {
      given: { tokenizer: JSON.stringify(tokenizer.toJSON()) },
      ours: async () => {
        for (const document of documents) tokenizer.encode(document.text);
      },
    };
  }),
  workload('minhash', async (documents) => {
    const hasher = new MinHash();
    return {
      ours: async () => {
        for (const { text } of documents) hasher.signature(text);
      },
    };
  }),
];
