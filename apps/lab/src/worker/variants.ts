import { type AttentionShape, type Choices, start } from '@headwise/kernels';
import { withContext } from '../data/size-of-data.js';
import { presets } from '../model/presets.js';
import { putTilings } from '../store/database.js';

/** Measures which tiling of attention is fastest for the models of the presets, and uses it, now and at later starts. */
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
  const { tilings, adapter } = await start({ prefer: 'webgpu', tune: { shapes } });
  if (adapter !== null) await putTilings(adapter, tilings);
  return tilings;
}
