import { BackendError } from '@headwise/core';
import {
  type EncodedExamples,
  type FinetuneConfig,
  loraOptions,
  planFinetune,
} from '@headwise/runs';
import { type MemoryPlan, planText, type RemedyWords } from '@headwise/training';
import type { Output } from '../output.js';

/**
 * Says how much memory a fine-tuning run will take; where WebGPU's constants are missing, that it is not known.
 *
 * @throws MemoryPlanError where it is over the limit, with the options that take less
 */
export async function showFinetunePlan(
  out: Output,
  config: FinetuneConfig,
  encoded: EncodedExamples,
  { configuration, limit }: { configuration: unknown; limit: number | undefined },
): Promise<void> {
  const options = { limit, remedies: finetuneRemedies(config) };
  await showPlan(out, () => planFinetune(config, encoded, configuration, options));
}

/** Says how much memory a run will take. */
export async function showPlan(out: Output, plan: () => Promise<MemoryPlan>): Promise<void> {
  try {
    const found = await plan();
    out.emit({ event: 'plan', ...found });
    out.say(`memory     ${planText(found)}`);
  } catch (error) {
    if (!(error instanceof BackendError)) throw error;
    out.note(`headwise: ${error.message}`);
  }
}

/** What takes less memory, in the options of `headwise finetune`. */
function finetuneRemedies({ method, adapter, training, data }: FinetuneConfig): RemedyWords {
  return {
    ...(method === 'embed'
      ? {}
      : { batch: (rows, accumulate) => `--batch-size ${rows} --accumulate ${accumulate}` }),
    ...(training.batchTokens === undefined ? {} : { batch: undefined }),
    checkpoint: '--checkpoint-activations',
    ...(trainsAll(method) ? { lora: { words: '--method lora', options: defaultLora } } : {}),
    ...(adapter || trainsAll(method)
      ? {
          dtype: (dtype) =>
            canPack(method) ? `--dtype ${dtype}` : `--method qlora --dtype ${dtype}`,
        }
      : {}),
    tokens: (tokens) => `--max-length ${Math.min(tokens, data.maxLength)}`,
  };
}

/** Whether a method trains all weights of a decoder, not adapters alone. */
const trainsAll = (method: string): boolean => ['pretrain', 'sft'].includes(method);

/** Whether a method takes packed weights as it is. */
const canPack = (method: string): boolean => !trainsAll(method) && method !== 'lora';

/** The adapter of `--method lora` where nothing else is said. */
const defaultLora = loraOptions({
  rank: 16,
  alpha: 32,
  rankStabilized: false,
  dora: false,
  dropout: 0,
  weights: 'f32',
});
