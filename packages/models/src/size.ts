import { currentDevice, InputError, memoryLimit, ParamStore } from '@headwise/core';
import { sizeOf } from '@headwise/core/internal';
import * as tf from '@tensorflow/tfjs';
import { buildModel } from './build/build-model.js';
import type { EncoderConfiguration, ModelConfiguration } from './build/model-configuration.js';
import { readConfiguration } from './families.js';

/** How large a model is. */
export interface ModelSize {
  /** The number of values in all parameters; tied ones count once. */
  parameters: number;
  /** Their bytes in float32. */
  bytes: number;
  /** The number of parameters that are tensors of their own. */
  tensors: number;
  /** The bytes of the largest one in float32. */
  largestBytes: number;
}

/**
 * The size of a configuration's model, computed without a tensor from two blocks at most.
 *
 * @throws InputError for an inconsistent configuration
 * @example
 * modelSize({ model_type: 'gpt2' }); // { parameters: 124439808, bytes: 497759232, … }
 */
export function modelSize(json: unknown, name = 'config.json'): ModelSize {
  const { family, config } = readConfiguration(json, name);
  return sizeOfPreset(family.preset(config));
}

/** {@link modelSize} of a typed configuration. */
export function sizeOfPreset(config: ModelConfiguration): ModelSize {
  const { depths, of } = stacksOf(config);
  const measure = (given: readonly number[]) => measured(of(given));
  const shallow = depths.map(() => 1);
  const single = measure(shallow);
  const size = { ...single };
  for (const [i, depth] of depths.entries()) {
    // Blocks are alike: each adds what the second adds to the first.
    const two = measure(shallow.with(i, 2));
    size.parameters += (depth - 1) * (two.parameters - single.parameters);
    size.tensors += (depth - 1) * (two.tensors - single.tensors);
  }
  return { ...size, bytes: 4 * size.parameters };
}

/** The number of different blocks in each stack of a model, and its configuration with other numbers of them. */
function stacksOf(config: ModelConfiguration): {
  depths: number[];
  of(depths: readonly number[]): ModelConfiguration;
} {
  const { layers, decoder, encoder, sharedBlocks, topology } = config;
  const of = (layers: number) => ({ ...config, layers, sharedBlocks: undefined });
  if (typeof encoder === 'object') {
    const apart = stacksOf(encoder);
    return {
      depths: [layers, ...apart.depths],
      of: ([own, ...depths]) => ({
        ...of(own!),
        encoder: apart.of(depths) as EncoderConfiguration,
      }),
    };
  }
  if (topology === 'encoder-decoder' && encoder === undefined) {
    return {
      depths: [layers, decoder?.layers ?? layers],
      of: ([own, other]) => ({ ...of(own!), decoder: { ...decoder, layers: other } }),
    };
  }
  return {
    depths: [sharedBlocks ? new Set(sharedBlocks).size : layers],
    of: ([own]) => of(own!),
  };
}

const measured = (config: ModelConfiguration): ModelSize => sizeOfStore(shapesOf(config));

/** The parameters of a configuration's model, without values. */
export function shapesOf(config: ModelConfiguration): ParamStore {
  const params = new ParamStore({ shapesOnly: true });
  buildModel(params, config);
  return params;
}

/** The size of the parameters that a store has made. */
export function sizeOfStore(params: ParamStore): ModelSize {
  const counts = Object.values(params.named()).map(({ shape }) => sizeOf(shape));
  const parameters = counts.reduce((sum, count) => sum + count, 0);
  const largestBytes = 4 * counts.reduce((most, count) => Math.max(most, count), 0);
  return { parameters, bytes: 4 * parameters, tensors: counts.length, largestBytes };
}

/** A GPU does not say how much memory it has. */
const MAX_GPU_BYTES = 2 ** 38;

export interface FitOptions {
  /** How many times the parameters are held: training with AdamW holds 4, packed ones less than 1. Default 1. */
  copies?: number | undefined;
  /** Bytes available; default the limit of this process, and on a GPU 256 GiB, more than any card has. */
  memoryLimit?: number | undefined;
  /** Names the model in errors; default `config.json`. */
  name?: string | undefined;
}

/**
 * Throws for a model that does not fit into memory, before anything of it is made.
 *
 * @throws InputError with its parameters, the bytes that they need and the bytes available
 */
export function checkModelFits(size: ModelSize, options: FitOptions = {}): void {
  const { copies = 1, name = 'config.json' } = options;
  const times = copies === 1 ? 'in float32' : `held ${copies} times in float32`;
  const held = copies < 1 ? `at ${32 * copies} bits a parameter` : times;
  const what = (bytes: string) =>
    `${name}: the model has ${size.parameters} parameters, ${bytes} ${held}`;
  checkMemory(copies * size.bytes, what, options.memoryLimit);
}

/**
 * Throws if an allocation would not fit into memory, before it is made.
 *
 * @param what the start of the message, from the formatted bytes
 * @param limit in bytes; default what the system allows this process, and on a GPU 256 GiB
 * @throws InputError with the bytes needed and available
 */
export function checkMemory(bytes: number, what: (bytes: string) => string, limit?: number): void {
  const allowed = limit ?? availableMemory();
  if (bytes <= allowed) return;
  throw new InputError(`${what(inUnits(bytes))}; available: ${inUnits(allowed)}`);
}

/**
 * Bytes that the backend may take: what the system allows this process, whose memory a software adapter takes too; on a GPU
 * 256 GiB, as it does not say.
 */
export function availableMemory(): number {
  const isGpu = !['cpu', 'wasm'].includes(tf.getBackend()) && currentDevice()?.software !== true;
  return isGpu ? MAX_GPU_BYTES : memoryLimit();
}

const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB'];

/** Bytes as people read them, with the number itself. */
function inUnits(bytes: number): string {
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  return `${(bytes / 1000 ** power).toPrecision(3)} ${units[power]} (${bytes} bytes)`;
}
