import { InputError } from '@headwise/core';
import {
  type FamilyConfiguration,
  type KeyTable,
  ownValues,
  type ParameterValues,
  placeOf,
  shapeInFile,
  tensorsByKey,
} from '@headwise/models/internal';
import type { LazyTensorInput } from '@headwise/safetensors';

/** Why mixtures of experts are among them. */
const oneTensor =
  "whose class in PyTorch's transformers keeps the experts of a layer in one tensor";

/** Decoders that `train.py` cannot go on with, and why. */
const refused: Readonly<Record<string, string>> = {
  headwise: "which PyTorch's transformers has no class for",
  'transfo-xl': "which PyTorch's transformers has no class for since its release 5",
  // The head is `lm_head` in its class and `embed_out` in its checkpoints, so that the moments would not be found.
  mixtral: oneTensor,
  qwen3_moe: oneTensor,
  gpt_neox: "whose class in PyTorch's transformers names parameters otherwise than its checkpoints",
};

/** Where the parameters of a decoder lie in a checkpoint of Hugging Face's, and their values there. */
export class ModelKeys {
  readonly #table: KeyTable;

  /** @throws InputError for a model that `train.py` cannot go on with */
  constructor({ family, config }: FamilyConfiguration) {
    const { modelType } = family;
    const { topology } = family.preset(config);
    const reason =
      refused[modelType] ??
      (topology === 'decoder' ? undefined : `a model of the kind ${topology}`);
    if (reason !== undefined) {
      throw new InputError(
        `config.json: 'model_type' is '${modelType}', ${reason}; expected a family of decoders other than ${Object.keys(refused).join(', ')}`,
      );
    }
    this.#table = family.keys(config);
  }

  keyOf(path: string): string {
    return placeOf(this.#table, path).key;
  }

  /** The shape of the tensor that holds a parameter. */
  shapeOf(path: string, shape: readonly number[]): number[] {
    return shapeInFile(shape, placeOf(this.#table, path).part);
  }

  /** Values of all parameters as the tensors of a checkpoint. */
  give(parameters: readonly ParameterValues[]): Record<string, LazyTensorInput> {
    return tensorsByKey(this.#table, parameters);
  }

  /** The values of one parameter from those of the tensor that holds it. */
  take(path: string, values: Float32Array): Float32Array {
    return ownValues(placeOf(this.#table, path), values);
  }
}
