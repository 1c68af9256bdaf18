import { InputError } from '@headwise/core';
import { nextTask } from '@headwise/core/internal';
import type { Generator } from './batch-scores.js';
import type { GenerateOptions } from './options.js';
import { RunningBatch } from './running-batch.js';
import type { BatchDetails, RunningSequence } from './running-sequence.js';

/** A sequence that was generated. */
export interface GeneratedSequence extends RunningSequence {
  readonly reason: NonNullable<RunningSequence['reason']>;
}

/** What `generateBatch` returns. */
export interface GeneratedBatch {
  /** In the order of the prompts. */
  readonly sequences: readonly GeneratedSequence[];
  readonly timing: {
    /** Milliseconds until the first tokens were drawn. */
    readonly prefill: number;
    /** Milliseconds from then on. */
    readonly decode: number;
  };
}

/**
 * Continues several prompts of any lengths at once; one pass of the model draws a token of each. For an encoder-decoder a
 * prompt is what the encoder reads.
 *
 * Every sequence has its own options, seed and stops, and comes out as it would alone; a `RunningBatch` that all join at the start.
 *
 * @param options for all, or one for each prompt
 * @throws InputError for prompts that are empty, too long or outside the vocabulary, and for options out of range
 */
export async function generateBatch(
  network: Generator,
  prompts: readonly (readonly number[])[],
  options: GenerateOptions | readonly GenerateOptions[] = {},
  details: BatchDetails = {},
): Promise<GeneratedBatch> {
  const begun = performance.now();
  const each = Array.isArray(options)
    ? (options as readonly GenerateOptions[])
    : prompts.map(() => options as GenerateOptions);
  if (each.length !== prompts.length) {
    throw new InputError(
      `generateBatch: ${each.length} options for ${prompts.length} prompts; expected one for each`,
    );
  }
  const batch = new RunningBatch(network, {
    storage: each[0]?.storage,
    prefixCache: each[0]?.prefixCache,
  });
  try {
    const sequences = prompts.map((prompt, n) => batch.add(prompt, each[n], details));
    let prefill = 0;
    while (batch.size > 0) {
      await batch.step();
      prefill ||= performance.now() - begun;
      await nextTask();
    }
    const decode = performance.now() - begun - prefill;
    return { sequences: sequences as GeneratedSequence[], timing: { prefill, decode } };
  } finally {
    batch.dispose();
  }
}
