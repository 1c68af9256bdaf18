import { ParamStore } from '@headwise/core';
import { sizeOf } from '@headwise/core/internal';
import type { TensorReader } from '@headwise/safetensors';
import { buildModel } from '../build/build-model.js';
import { readConfiguration } from '../families.js';
import { GgufReader } from '../gguf/read/reader.js';
import type { HubOptions } from '../hub/address.js';
import { type CheckpointPlace, checkpointFiles } from './files.js';
import { fitToTensors } from './fit.js';
import { bytesOf, type Found, type Matching } from './matching.js';
import { openConfig } from './open.js';
import { openAllTensors, quantizationOf } from './packed.js';
import { Problems } from './problems.js';
import { QuantizedReader } from './quantized/reader.js';
import type { WebOptions } from './web.js';

/** One parameter of a checkpoint. */
export interface ParameterDescription {
  /** Its path in our models. */
  path: string;
  /** Its key in the checkpoint. */
  key: string;
  shape: readonly number[];
  /** The type that it is stored in. */
  dtype: string;
  /** How many values it has. */
  count: number;
  /** How many bytes it takes in the file. */
  bytes: number;
}

/**
 * Every parameter of a checkpoint, in the order of the model, without reading their values.
 *
 * @returns the parameters, and the keys of tensors that no parameter has asked for
 * @throws InputError or SafetensorsError as `loadModel` does, but for what is wrong with values
 */
export async function describeCheckpoint(
  place: CheckpointPlace,
  options: HubOptions & WebOptions = {},
): Promise<{ family: string; parameters: ParameterDescription[]; unusedKeys: string[] }> {
  const files = checkpointFiles(place, options);
  const { json: document, name: configName } = await openConfig(files);
  const { json, quantization } = quantizationOf(document, configName);
  const { family, config: written } = readConfiguration(json, configName);
  const { reader, name, storedAs } = await openAllTensors(files, quantization, configName);
  try {
    const stored = storedAs?.(family, written) ?? family;
    const { config, matching } = await fitToTensors(stored, written, reader, name);
    const parameters = parametersOf(reader, matching, (params) =>
      buildModel(params, family.preset(config)),
    );
    return { family: family.modelType, parameters, unusedKeys: matching.unused() };
  } finally {
    await reader.close();
  }
}

/** What a model asks for while it is built, where a checkpoint has it. */
function parametersOf(
  reader: TensorReader,
  matching: Matching,
  build: (params: ParamStore) => void,
): ParameterDescription[] {
  const parameters: ParameterDescription[] = [];
  const problems = new Problems();
  const params = new ParamStore({
    deferred(path, shape) {
      let found: Found;
      try {
        found = matching.find(path, shape);
      } catch (error) {
        if (!matching.mayLack(path)) problems.add(error, sizeOf(shape) > matching.bytes);
        return;
      }
      const { key, info } = found;
      const count = shape.reduce((product, size) => product * size, 1);
      const { dtype, bytes } = storedForm(reader, found) ?? {
        dtype: info.dtype,
        bytes: bytesOf(found),
      };
      parameters.push({ path, key, shape: [...shape], dtype, count, bytes });
    },
  });
  try {
    build(params);
    problems.refuse();
    return parameters;
  } finally {
    params.dispose();
  }
}

/** The type and the bytes of a parameter in a GGUF file, or of one that is quantised; undefined for another reader's. */
function storedForm(
  reader: TensorReader,
  { key, part, pieces = [] }: Found,
): { dtype: string; bytes: number } | undefined {
  const share = (bytes: number) => bytes / (part?.of ?? 1);
  if (reader instanceof QuantizedReader) {
    const stored = [{ key }, ...pieces].map((piece) => reader.stored(piece.key));
    if (!stored.every((one) => one !== undefined)) return undefined;
    const bytes = stored.reduce((sum, one) => sum + one.bytes, 0);
    return { dtype: stored[0]!.dtype, bytes: share(bytes) };
  }
  const info = reader instanceof GgufReader ? reader.stored(key) : undefined;
  return info && { dtype: info.type, bytes: share(info.end - info.begin) };
}
