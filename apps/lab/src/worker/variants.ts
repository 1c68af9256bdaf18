import { type AttentionShape, type Choices, tuneAttention } from '@headwise/kernels';
import { withContext } from '../data/size-of-data.js';
import { presets } from '../model/presets.js';

/** Measures which program of attention is fastest for the models of the presets, and uses it. */
export function chooseVariants(): Promise<Choices> {
  const shapes = presets.map(({ config }): AttentionShape => {
    const { model, training } = withContext(config);
    const { context, heads, dim } = model;
    return {
      batch: training.batchSize,
      heads,
      queries: context,
      keys: context,
      width: dim / heads,
      causal: true,
    };
  });
  return tuneAttention(shapes);
}
