import { type EmbeddingModelV4, InvalidArgumentError } from '@ai-sdk/provider';
import { type EmbeddingModel, type EmbedOptions, embed } from '@headwise/text';
import { embeddedIds } from '@headwise/text/internal';
import type { Tokenizer } from '@headwise/tokenizers';

/** What `loadEmbeddingModel` of `@headwise/text` gives, or a model and a tokenizer of one's own. */
export interface EmbeddingModelAndTokenizer {
  readonly model: EmbeddingModel;
  readonly tokenizer: Tokenizer;
}

/** Options of `embed` for every call, and the model's name. */
export interface EmbeddingModelOptions extends Omit<EmbedOptions, 'signal' | 'dimensions'> {
  /** The model's name in results; default `model`. */
  modelId?: string | undefined;
}

/**
 * A model that runs here as an embedding model of the AI SDK, for `embed` and `embedMany`.
 *
 * `providerOptions.headwise` takes `promptName`, `prompt` and `dimensions` for one call.
 *
 * @example
 * const model = embeddingModel(await loadEmbeddingModel('https://models.example/all-MiniLM-L6-v2'));
 * const { embeddings } = await embedMany({ model, values: ['A cat sat.', 'A dog ran.'] });
 * @see https://ai-sdk.dev/docs/ai-sdk-core/embeddings
 */
export function embeddingModel(
  { model, tokenizer }: EmbeddingModelAndTokenizer,
  { modelId = 'model', ...given }: EmbeddingModelOptions = {},
): EmbeddingModelV4 {
  return {
    specificationVersion: 'v4',
    provider: 'headwise',
    modelId,
    // `embed` makes batches of its own.
    maxEmbeddingsPerCall: Number.POSITIVE_INFINITY,
    supportsParallelCalls: false,
    async doEmbed({ values, dimensions, abortSignal: signal, providerOptions }) {
      signal?.throwIfAborted();
      if (values.length === 0) return { embeddings: [], usage: { tokens: 0 }, warnings: [] };
      const own = ownOptions(providerOptions?.headwise);
      const options: EmbedOptions = {
        ...given,
        ...(dimensions === undefined ? {} : { dimensions }),
        ...own,
      };
      const sequences = embeddedIds(model, tokenizer, values, options);
      // Ids have their prompt already.
      const { prompt: _, promptName: __, ...others } = options;
      const vectors = await embed(model, tokenizer, sequences, { ...others, signal });
      return {
        embeddings: vectors.map((vector) => [...vector]),
        usage: { tokens: sequences.reduce((sum, { length }) => sum + length, 0) },
        warnings: [],
      };
    },
  };
}

const known = { promptName: 'string', prompt: 'string', dimensions: 'number' } as const;

/** @throws InvalidArgumentError naming a key that is not known, or whose value has another type */
function ownOptions(given: Record<string, unknown> = {}): Pick<EmbedOptions, keyof typeof known> {
  for (const [key, value] of Object.entries(given)) {
    const type = Object.hasOwn(known, key) ? known[key as keyof typeof known] : undefined;
    if (type !== undefined && typeof value === type) continue;
    const argument = `providerOptions.headwise.${key}`;
    const message = `${argument} is ${JSON.stringify(value)}; expected promptName or prompt, a text, or dimensions, a number`;
    throw new InvalidArgumentError({ argument, message });
  }
  return given;
}
