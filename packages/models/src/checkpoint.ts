import {
  InputError,
  type LanguageModel,
  type Packing,
  type ParamSource,
  ParamStore,
  readTensor,
} from '@headwise/core';
import { type LazyTensorInput, type SafetensorsFile, toFloat32 } from '@headwise/safetensors';
import { keyOf, type ModelFamily } from './family.js';
import { gpt2 } from './gpt2.js';

/** Every family that this package knows, by `model_type`. */
export const families: Readonly<Record<string, ModelFamily>> = {
  gpt2: gpt2 as ModelFamily,
};

/** A model with what is needed to train, save and dispose it. */
export interface Model {
  readonly family: ModelFamily;
  readonly config: unknown;
  readonly params: ParamStore;
  readonly network: LanguageModel;
}

export interface CreateOptions {
  /** The seed of the initial parameters; default 0. */
  seed?: number;
  /** Where parameters come from instead. */
  source?: ParamSource;
  /** Which weights are kept in fewer bits; default none. */
  packing?: Packing;
  /** Names the configuration in errors; default `config.json`. */
  name?: string;
}

/**
 * A model of the family that a `config.json` names.
 *
 * @throws InputError for an unknown `model_type`, and for a configuration that does not hold together
 */
export function createModel(json: unknown, options: CreateOptions = {}): Model {
  const { name = 'config.json', ...store } = options;
  const modelType = (json as { model_type?: unknown } | null)?.model_type;
  const family = families[String(modelType)];
  if (!family) {
    throw new InputError(
      `${name}: 'model_type' is ${JSON.stringify(modelType)}; known are ${Object.keys(families).join(', ')}`,
    );
  }
  const config = family.parseConfig(json, name);
  const params = new ParamStore(store);
  try {
    return { family, config, params, network: family.build(params, config) };
  } catch (error) {
    params.dispose();
    throw error;
  }
}

/**
 * Reads the parameters of a family from a safetensors file, by Hugging Face's keys.
 *
 * @returns the source, and a function that lists the keys that no parameter has asked for
 */
export function checkpointSource(
  family: ModelFamily,
  file: SafetensorsFile,
  name: string,
): ParamSource & { unused(): string[] } {
  const asked = new Set<string>();
  // Checkpoints of the bare model, such as the first GPT-2's, have no prefix.
  const bare = ![...file.tensors.keys()].some((key) => key.startsWith(family.keyPrefix));
  return {
    read(path, shape) {
      const whole = keyOf(family, path);
      const key = bare ? whole.slice(family.keyPrefix.length) : whole;
      if (!file.tensors.has(key)) {
        throw new InputError(`${name}: no tensor '${key}', which holds parameter '${path}'`);
      }
      const tensor = file.get(key);
      if (tensor.shape.join() !== shape.join()) {
        throw new InputError(
          `${name}: tensor '${key}' has shape [${tensor.shape.join(', ')}]; the configuration needs [${shape.join(', ')}]`,
        );
      }
      asked.add(key);
      return toFloat32(tensor, { file: name, key });
    },
    unused: () =>
      [...file.tensors.keys()].filter((key) => !asked.has(key) && !family.ignoredKeys.test(key)),
  };
}

/** The tensors of a model by Hugging Face's keys; each is read from the backend when it is written. */
export function checkpointTensors(model: Model): Record<string, LazyTensorInput> {
  return Object.fromEntries(
    Object.entries(model.params.named()).map(([path, variable]) => [
      keyOf(model.family, path),
      {
        dtype: 'F32',
        shape: variable.shape,
        data: async () => (await readTensor(variable)) as Float32Array,
      },
    ]),
  );
}
