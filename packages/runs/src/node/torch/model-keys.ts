import { InputError } from '@headwise/core';
import {
  type FamilyConfiguration,
  giveRows,
  type KeyPlace,
  placeOf,
  takeRows,
} from '@headwise/models/internal';

/** The families whose classes transformers has. */
const known = ['gpt2', 'llama', 'mistral', 'qwen2', 'qwen3', 'falcon', 'bloom'];

/** Where the parameters of a model lie in a checkpoint of Hugging Face's, and their rows in its order. */
export class ModelKeys {
  readonly #placeOf: (path: string) => KeyPlace;

  /** @throws InputError for a family that transformers has no class for */
  constructor({ family, config }: FamilyConfiguration) {
    if (!known.includes(family.modelType)) {
      throw new InputError(
        `config.json: 'model_type' is '${family.modelType}', which PyTorch's transformers has no class for; expected one of ${known.join(', ')}`,
      );
    }
    const table = family.keys(config);
    this.#placeOf = (path) => placeOf(table, path);
  }

  keyOf(path: string): string {
    return this.#placeOf(path).key;
  }

  /** Our values in the checkpoint's order of rows. */
  give(path: string, values: Float32Array): Float32Array {
    const { rows } = this.#placeOf(path);
    return rows ? giveRows(values, rows()) : values;
  }

  /** The checkpoint's values in our order of rows. */
  take(path: string, values: Float32Array): Float32Array {
    const { rows } = this.#placeOf(path);
    return rows ? takeRows(values, rows()) : values;
  }
}
