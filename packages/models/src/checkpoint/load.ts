import { InputError, type Packing, ParamStore } from '@headwise/core';
import { sizeOf } from '@headwise/core/internal';
import { checkWeightsBind } from '../bindable.js';
import { buildModel } from '../build/build-model.js';
import type { ModelConfiguration } from '../build/model-configuration.js';
import { changed, type PresetChange } from '../change.js';
import { type FamilyConfiguration, readConfiguration } from '../families.js';
import type { HubOptions } from '../hub/address.js';
import type { Model } from '../model.js';
import { checkModelFits, modelSize, sizeOfStore } from '../size.js';
import { leastBytes, packingOf, type WeightOptions } from '../weight-options.js';
import { compileFirstTokens } from './compile-ahead.js';
import { type CheckpointPlace, checkpointFiles } from './files.js';
import { fillFromTensors, type LoadProgress } from './fill.js';
import { fitToTensors } from './fit.js';
import { type KeptReader, keptReader } from './kept-reader.js';
import type { Found, Matching } from './matching.js';
import { openConfig } from './open.js';
import { leastTypeOf, openAllTensors, quantizationOf } from './packed.js';
import { MAX_PROBLEMS, Problems } from './problems.js';
import type { WebOptions } from './web.js';

export interface LoadOptions extends WebOptions, HubOptions, WeightOptions {
  /** Parts that the model has instead of its family's; parameters that they bring along start anew. */
  change?: PresetChange | undefined;
  /**
   * Changes `config.json` before it is read: for another head on the same body. Parameters that the checkpoint lacks start
   * anew then.
   */
  configure?: ((json: unknown) => unknown) | undefined;
  /** The seed of parameters that start anew; default 0. */
  seed?: number | undefined;
  /** Bytes that the model may take; default the limit of this process, see {@link checkModelFits}. */
  memoryLimit?: number | undefined;
  onProgress?: ((progress: LoadProgress) => void) | undefined;
}

/** A model, with the tensors that only its checkpoint has and the parameters that only the model has. */
export interface LoadedModel extends Model {
  /** The keys of tensors that were not used. */
  readonly unusedKeys: string[];
  /** The paths of parameters that started anew: where a part was changed, or a checkpoint may lack them. */
  readonly newPaths: string[];
}

/**
 * Loads a checkpoint in the layout of Hugging Face, `config.json` and `model.safetensors` or its shards, or a GGUF file.
 *
 * Names, shapes and types are checked before any tensor is read; then tensors go to the backend one by one, in
 * pieces. The matrices of a GGUF file, and of GPTQ and AWQ, stay as the file packs them, unless a `dtype` is asked for.
 *
 * On WebGPU the pipelines of a decoder's first tokens are compiled meanwhile, where its weights are not kept as a file packs them.
 *
 * @throws InputError for an unknown `dtype`, and for a weight that the GPU cannot bind; InputError or SafetensorsError naming the file, what is wrong with it and what was expected
 * @example
 * const model = await loadModel('https://models.example/gpt2', { dtype: 'int8' });
 */
export async function loadModel(
  place: CheckpointPlace,
  options: LoadOptions = {},
): Promise<LoadedModel> {
  const packing = packingOf('loadModel', options);
  const files = checkpointFiles(place, options);
  const { json: document, name: configName } = await openConfig(files);
  const { json, quantization } = quantizationOf(document, configName);
  const { configure = (given: unknown) => given } = options;
  const { family, config } = readConfiguration(configure(json), configName);
  const { reader, name, storedAs } = await openAllTensors(files, quantization, configName);
  try {
    const stored = storedAs?.(family, config) ?? family;
    const { config: fitted, matching } = await fitToTensors(stored, config, reader, name);
    // What a file keeps packed stays so, unless a type is asked for.
    const kept = options.dtype === undefined ? keptReader(reader) : undefined;
    const { change } = options;
    const theirs = { family, config: fitted };
    const wanted = change ? changed(theirs, change) : theirs;
    if (change) refuseOtherSizes(family.preset(fitted), change, configName);
    const built = build(wanted, matching, options, packing);
    try {
      const { memoryLimit } = options;
      const size = sizeOfStore(built.params);
      const copies = kept ? keptShare(built, kept) : leastBytes[options.dtype ?? 'f32'];
      checkModelFits(size, { copies, memoryLimit, name: configName });
      // No form of a file takes more than half of float32.
      const form = kept ? { ...options, dtype: 'f16' as const } : options;
      checkWeightsBind(size, () => built.params, form, configName);
      const filling = { ...options, kept };
      const compiled = kept ? undefined : compileFirstTokens(wanted, options);
      const notFinite = await fillFromTensors(built.params, reader, built.found, filling);
      refuseNotFinite(notFinite, name);
      await reader.finish();
      const newPaths = built.params.waiting();
      for (const path of newPaths) built.params.fill(path);
      await compiled;
      const { params, network } = built;
      return { ...wanted, params, network, unusedKeys: matching.unused(), newPaths };
    } catch (error) {
      built.params.dispose();
      throw error;
    }
  } finally {
    await reader.close();
  }
}

/**
 * Throws for a model that does not fit into memory by its configuration, before any of its weights is fetched.
 *
 * @throws InputError with the bytes that it needs and those available, and for a configuration that is not built
 */
export function checkConfigFits(
  json: unknown,
  name: string,
  options: LoadOptions & { packedBytes?: number | undefined } = {},
): void {
  const { configure = (given: unknown) => given, memoryLimit, packedBytes } = options;
  const { json: rest, quantization } = quantizationOf(json, name);
  const { dtype = leastTypeOf(quantization) } = options;
  const size = modelSize(configure(rest), name);
  const kept = packedBytes !== undefined && options.dtype === undefined;
  // What stays packed takes at least its bytes in the file.
  const copies = kept ? Math.min(1, packedBytes / size.bytes) : leastBytes[dtype];
  checkModelFits(size, { copies, memoryLimit, name });
}

/** The bytes of parameters as a file keeps them, over those in float32. */
function keptShare(
  { params, found }: { params: ParamStore; found: ReadonlyMap<string, Found> },
  reader: KeptReader,
): number {
  let [kept, plain] = [0, 0];
  const matrices = params.matrices();
  for (const [path, { shape }] of Object.entries(params.named())) {
    const bytes = 4 * sizeOf(shape);
    const { layout } = matrices[path] ?? {};
    const place = found.get(path);
    plain += bytes;
    kept += layout && place && reader.isKept(place.key) ? reader.keptBytes(place, layout) : bytes;
  }
  return kept / plain;
}

/** Throws for changes that leave no trained weight meaningful: another number of heads, or another width. */
function refuseOtherSizes(theirs: ModelConfiguration, change: PresetChange, name: string): void {
  const { heads = theirs.heads, dim = theirs.dim, decoder = theirs.decoder } = change;
  if (heads.count !== theirs.heads.count) {
    throw new InputError(
      `change: 'heads.count' is ${heads.count}; the checkpoint of ${name} was trained with ${theirs.heads.count} heads`,
    );
  }
  const [given, trained] = [decoder?.heads, theirs.decoder?.heads];
  if ((given ?? heads.count) !== (trained ?? theirs.heads.count)) {
    throw new InputError(
      `change: 'decoder.heads' is ${given}; the decoder of ${name} was trained with ${trained ?? theirs.heads.count} heads`,
    );
  }
  if (dim !== theirs.dim) {
    throw new InputError(
      `change: 'dim' is ${dim}; the checkpoint of ${name} was trained with a width of ${theirs.dim}`,
    );
  }
}

/** The network with parameters that wait for their values, and where each will come from. */
function build(
  { family, config }: FamilyConfiguration,
  matching: Matching,
  { change, configure, seed }: LoadOptions,
  packing: Packing | undefined,
): Pick<Model, 'params' | 'network'> & { found: Map<string, Found> } {
  const found = new Map<string, Found>();
  const problems = new Problems();
  const params = new ParamStore({
    seed,
    packing,
    deferred: (path, shape) => {
      try {
        found.set(path, matching.find(path, shape));
      } catch (error) {
        if (change || configure || matching.mayLack(path)) return;
        // A configuration may ask for any number of blocks, and for blocks of any size.
        problems.add(error, sizeOf(shape) > matching.bytes);
      }
    },
  });
  try {
    const network = buildModel(params, family.preset(config));
    problems.refuse();
    return { params, network, found };
  } catch (error) {
    params.dispose();
    throw error;
  }
}

function refuseNotFinite(keys: readonly string[], name: string): void {
  if (keys.length === 0) return;
  const shown = keys.slice(0, MAX_PROBLEMS).map((key) => `'${key}'`);
  const more = keys.length > shown.length ? ` and ${keys.length - shown.length} more` : '';
  throw new InputError(
    `${name}: NaN or infinite values in ${keys.length === 1 ? 'tensor' : 'tensors'} ${shown.join(', ')}${more}; expected finite ones`,
  );
}
