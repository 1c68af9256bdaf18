import { readTensor } from '@headwise/core';
import { languageModel, loadModel } from '@headwise/models';
import { type Check, checkOf, checkOperations } from '@headwise/parity';
import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';

/** The largest `rmsRatio` of the GPT-2's logits. */
const bound = 1e-5;

/**
 * Runs the operations of a model and their gradients on the backend in use and compares them with float64; then
 * compares a small GPT-2 with Hugging Face transformers.
 *
 * @param goldenUrl the address of that model and its logits
 */
export async function parityReceipt(
  goldenUrl: string,
  progress: (check: Check) => void,
): Promise<Check[]> {
  const checks: Check[] = [];
  const add = (made: Check) => {
    checks.push(made);
    progress(made);
  };
  for await (const made of checkOperations()) add(made);
  add(await checkGolden(goldenUrl));
  return checks;
}

const goldenSchema = z.object({
  source: z.string(),
  version: z.string(),
  folder: z.object({ 'config.json': z.string(), 'model.safetensors': z.string() }),
  ids: z.array(z.number()),
  shape: z.tuple([z.number(), z.number()]),
  logits: z.array(z.number()),
});

/** Compares the logits of a small GPT-2 with those in its golden file. */
async function checkGolden(url: string): Promise<Check> {
  const response = await fetch(url);
  const { source, version, folder, ids, shape, logits } = goldenSchema.parse(await response.json());
  const bytes = (name: keyof typeof folder) =>
    Uint8Array.from(atob(folder[name]), (char) => char.charCodeAt(0));
  const names = ['config.json', 'model.safetensors'] as const;
  const files = names.map((name) => new File([bytes(name)], name));
  const { network, params } = languageModel(await loadModel(files));
  try {
    const made = tf.tidy(() => network.forward(tf.tensor2d(ids, shape, 'int32')));
    const values = await readTensor(made);
    made.dispose();
    return checkOf(`GPT-2, as ${source} ${version}`, 'logits', values, logits, bound);
  } finally {
    params.dispose();
  }
}
