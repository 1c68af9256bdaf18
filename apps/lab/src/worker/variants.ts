import { type AttentionShape, type Choices, start } from '@headwise/kernels';
import { withContext } from '../data/size-of-data.js';
import { presets } from '../model/presets.js';

/** Measures which program of attention is fastest for the models of the presets, and uses it. */
export async function chooseVariants(): Promise<Choices> {
  const shapes = presets.map(({ config }): AttentionShape => {
    const { model, training } = withContext(config);
    const { context, heads, dim } = model;
    return {
      batch: training.batchSize,
      heads,
      queries: context,
      keys: context,
      headDim: dim / heads,
      causal: true,
    };
  });
  const { tilings } = await start({ prefer: 'webgpu', tune: { shapes } });
  return tilings;
}
