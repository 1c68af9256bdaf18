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

/** Decoders that transformers has no class for: our own parts, and a family that its release 5 no longer has. */
const lacking = ['headwise', 'transfo-xl'];

/** Where the parameters of a decoder lie in a checkpoint of Hugging Face's, and their values there. */
export class ModelKeys {
  readonly #table: KeyTable;

  /** @throws InputError for a model that transformers has no class of decoders for */
  constructor({ family, config }: FamilyConfiguration) {
    const { modelType } = family;
    if (lacking.includes(modelType) || family.preset(config).topology !== 'decoder') {
      throw new InputError(
        `config.json: 'model_type' is '${modelType}', which PyTorch's transformers has no class of decoders for; expected a family of decoders other than ${lacking.join(', ')}`,
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
