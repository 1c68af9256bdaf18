import { InputError } from '@headwise/core';
import { jsonText, modelParts } from '@headwise/models/internal';
import { folderFiles } from '@headwise/models/node';
import type { TrainableEmbedding } from '@headwise/runs';
import { sentenceSettings, sentenceVectors, written } from '@headwise/text/internal';

/**
 * How the model of a folder makes vectors, for training them as `embed` makes them, and the files that say so where it has none.
 *
 * @throws InputError where it projects vectors, as projections are not trained
 */
export async function embeddingOf(
  folder: string,
  configuration: unknown,
): Promise<{ training: TrainableEmbedding; files: Record<string, string> }> {
  const settings = await sentenceSettings(folderFiles(folder));
  if (settings.dense && settings.dense.length > 0) {
    throw new InputError(
      `${folder}: modules.json has ${settings.dense.length} Dense modules, which are not trained; expected a Transformer with Pooling and Normalize`,
    );
  }
  return {
    training: {
      vectors: (network) => sentenceVectors(network, settings),
      written: (text) => written(text, settings),
      maxLength: settings.maxLength,
    },
    files: settings.pooling ? {} : meanFiles(modelParts(configuration).dim),
  };
}

const module = (idx: number, path: string, kind: string) => ({
  idx,
  name: String(idx),
  path,
  type: `sentence_transformers.models.${kind}`,
});

/** Normalised means of hidden states, in the layout of sentence-transformers. */
function meanFiles(dim: number): Record<string, string> {
  const modules = [
    module(0, '', 'Transformer'),
    module(1, '1_Pooling', 'Pooling'),
    module(2, '2_Normalize', 'Normalize'),
  ];
  const pooling = { word_embedding_dimension: dim, pooling_mode: 'mean' };
  return { 'modules.json': jsonText(modules), '1_Pooling/config.json': jsonText(pooling) };
}
