import { type GenerateOptions, generate, RunningBatch } from '@headwise/generation';
import { createModel } from '@headwise/models';
import type { Contestants, Workload } from '@headwise/testing';
import { endless } from './endless.js';

/** Tokens of the prompts, whose ends are apart. */
const lengths = [31, 250, 64, 120, 7, 180, 96, 40];
const options: GenerateOptions = { maxNewTokens: 200, temperature: 0.8, topK: 40 };

/** Eight tokens: one of each sequence of a running batch, or eight of one sequence alone. */
async function contestants(): Promise<Contestants> {
  const { network, params } = createModel({ model_type: 'gpt2' }, { seed: 1 });
  const prompts = lengths.map((length, n) =>
    Array.from({ length }, (_, i) => (i * 7919 + n * 101 + 464) % network.vocabSize),
  );
  const batch = new RunningBatch(network);
  const together = async () => {
    if (batch.size === 0) for (const prompt of prompts) batch.add(prompt, options);
    await batch.step();
  };
  // As long as the prompts are in the mean.
  const prompt = prompts[6]!;
  const tokens = endless(() => generate(network, prompt, options));
  const alone = async () => {
    for (let i = 0; i < lengths.length; i++) await tokens.next();
  };
  return {
    ours: together,
    peers: { plain: alone },
    dispose: () => {
      tokens.end();
      batch.dispose();
      params.dispose();
    },
  };
}

export const workloads: Workload[] = [
  { name: 'generate/batch-8', backends: ['webgpu'], prepare: contestants },
];
