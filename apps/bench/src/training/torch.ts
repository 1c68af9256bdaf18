import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { peersFolder } from '../peers.js';
import { configurationOf, type TrainedFamily, type TrainingSizes, trainingIds } from './sizes.js';
import type { Trainer } from './trainer.js';

const script = fileURLToPath(new URL('torch-step.py', peersFolder));

const architectures = {
  gpt2: 'GPT2LMHeadModel',
  bert: 'BertForMaskedLM',
  t5: 'T5ForConditionalGeneration',
};

/** The Python that has PyTorch and transformers, where the environment names one. */
export const torchPython = (): string | undefined => process.env.HEADWISE_TORCH_PYTHON;

/** Trains the same model of transformers in PyTorch on the processor, in a process of its own. */
export async function torchTrainer(
  python: string,
  family: TrainedFamily,
  sizes: TrainingSizes,
  rows: number,
): Promise<Trainer> {
  const child = spawn(python, [script], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async (line: string): Promise<Record<string, number>> => {
    child.stdin.write(`${line}\n`);
    const { value, done } = await lines.next();
    if (done) throw new Error(`${python} ${script} ended; expected PyTorch and transformers there`);
    return JSON.parse(value) as Record<string, number>;
  };
  const { inputs, targets } = trainingIds(family, sizes, rows);
  await ask(
    JSON.stringify({
      config: configurationOf(family, sizes),
      architecture: architectures[family],
      inputs: [...inputs],
      targets: [...targets],
      rows,
      length: sizes.length,
    }),
  );
  return {
    async step() {
      const { loss, ms } = await ask('');
      return { loss: loss!, ms: ms! };
    },
    dispose: () => void child.stdin.end(),
  };
}
