import { InputError, quoted, readTensor } from '@headwise/core';
import type { MatrixLayout } from '@headwise/core/internal';
import { type PackedFormat, PackedWeight } from '@headwise/kernels';
import { formatParts, onDevice, packedShapes } from '@headwise/kernels/internal';
import type { LazyTensorInput, Tensor, TensorInfo, TensorReader } from '@headwise/safetensors';
import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import type { ModelFamily } from '../family.js';
import type { Model } from '../model.js';
import { parseWith } from '../parse-with.js';
import type { CheckpointFiles, CheckpointTensors } from './checkpoint-files.js';
import type { KeptReader } from './kept-reader.js';
import type { Found } from './matching.js';
import { openTensors } from './open.js';
import { paramTensors } from './params.js';
import { isDequantized, quantizedMethods, readQuantized } from './quantized/open.js';

/** How `config.json` calls this layout. */
const method = 'headwise';

/** One packed matrix in `quantization_config`. */
interface PackedEntry {
  format: PackedFormat;
  /** As the parameter: `[In, Out]` or `[Out, In]`. */
  shape: [number, number];
  /** Values along In that share a scale. */
  group: number;
}

const entry: z.ZodType<PackedEntry> = z.strictObject({
  format: z.enum(Object.keys(formatParts) as [PackedFormat, ...PackedFormat[]]),
  shape: z.tuple([z.number().int().min(1), z.number().int().min(1)]),
  group: z.number().int().min(1),
});
const schema = z.strictObject({
  quant_method: z.literal(method),
  version: z.literal(1),
  matrices: z.record(z.string(), entry),
});

/** The packed matrices of a model, by path. */
function packedOf(model: Model): [path: string, weight: PackedWeight][] {
  return Object.entries(model.params.matrices()).flatMap(([path, { packed }]) => {
    if (!packed) return [];
    if (packed instanceof PackedWeight) return [[path, packed]];
    throw new InputError(`parameter '${path}' is packed in an unknown form; it cannot be saved`);
  });
}

/** Whether a matrix of a model is packed. */
export const isPackedModel = (model: Model): boolean => packedOf(model).length > 0;

/**
 * A model with packed matrices as tensors, by our paths: `PATH` in float32, and of a packed matrix `PATH.words` in int32 and
 * `PATH.scales` in float32, both as the kernels have them; and what `config.json` says of them.
 */
export function packedTensors(model: Model): {
  tensors: Record<string, LazyTensorInput>;
  quantization: Record<string, unknown>;
} {
  const tensors = paramTensors(model.params);
  const matrices: Record<string, PackedEntry> = {};
  for (const [path, { format, shape, group, words, scales }] of packedOf(model)) {
    matrices[path] = { format, shape: [...shape], group };
    const data = (tensor: tf.Tensor) => async () => (await readTensor(tensor)) as Int32Array;
    tensors[`${path}.words`] = { dtype: 'I32', shape: words.shape, data: data(words) };
    if (scales)
      tensors[`${path}.scales`] = { dtype: 'F32', shape: scales.shape, data: data(scales) };
  }
  return { tensors, quantization: { quant_method: method, version: 1, matrices } };
}

/**
 * The tensors of a checkpoint, as `openTensors`; packed or quantised ones where `quantization_config` says so.
 *
 * @param quantization what `quantizationOf` has found
 * @param configName of `config.json` in errors
 * @throws InputError as `readPacked` and `readQuantized` do
 */
export async function openAllTensors(
  files: CheckpointFiles,
  quantization: unknown,
  configName: string,
): Promise<CheckpointTensors> {
  const opened = await openTensors(files);
  if (quantization === undefined) return opened;
  try {
    const given = methodOf(quantization);
    return given === method
      ? readPacked(opened, quantization, configName)
      : readQuantized(opened, given as string, quantization, configName);
  } catch (error) {
    await opened.reader.close();
    throw error;
  }
}

/**
 * The tensors of a checkpoint that `packedTensors` has made.
 *
 * @param json `quantization_config`
 * @param configName of `config.json` in errors
 * @throws InputError naming what is wrong with the entries, and tensors that are missing or of another shape
 */
function readPacked(
  { reader, name }: CheckpointTensors,
  json: unknown,
  configName: string,
): CheckpointTensors {
  const { quantization_config: parsed } = parseWith(
    z.looseObject({ quantization_config: schema }),
    { quantization_config: json },
    configName,
  ) as { quantization_config: z.infer<typeof schema> };
  const own = new PackedReader(reader, new Map(Object.entries(parsed.matrices)), name);
  return { reader: own, name, storedAs: (family) => byPath(family) };
}

/** A family whose checkpoints have our paths for keys. */
const byPath = (family: ModelFamily): ModelFamily => ({
  ...family,
  keys: () => [['', '']],
  keyPrefix: '',
  ignoredKeys: /^$/,
  copies: () => [],
  fitted: (config) => config,
  optionalKeys: undefined,
  oldKey: (key) => key,
});

/** The tensors of a packed checkpoint; a packed matrix has the place of its parameter. */
class PackedReader implements TensorReader, KeptReader {
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly #reader: TensorReader;
  readonly #matrices: ReadonlyMap<string, PackedEntry>;
  readonly #name: string;

  constructor(reader: TensorReader, matrices: ReadonlyMap<string, PackedEntry>, name: string) {
    this.#reader = reader;
    this.#matrices = matrices;
    this.#name = name;
    const tensors = new Map<string, TensorInfo>();
    for (const [key, info] of reader.tensors) {
      const path = key.replace(/\.(words|scales)$/, '');
      const matrix = path === key ? undefined : matrices.get(path);
      if (!matrix) tensors.set(key, info);
      else if (key.endsWith('.words')) {
        tensors.set(path, { dtype: 'F32', shape: matrix.shape, offsets: info.offsets });
      }
    }
    this.tensors = tensors;
  }

  isKept(key: string): boolean {
    return this.#matrices.has(key);
  }

  keptBytes({ key }: Pick<Found, 'key'>, layout: MatrixLayout): number {
    const { words, scales } = this.#shapes(key, layout);
    return 4 * (words[0] * words[1] + (scales ? scales[0] * scales[1] : 0));
  }

  async weight(
    { key }: Found,
    shape: readonly [number, number],
    layout: MatrixLayout,
  ): Promise<PackedWeight | undefined> {
    const { format, group } = this.#matrices.get(key)!;
    const [inner, out] = layout === 'in-out' ? shape : [shape[1], shape[0]];
    const shapes = this.#shapes(key, layout);
    const words = await this.#part(`${key}.words`, 'I32', shapes.words);
    const scales = shapes.scales && (await this.#part(`${key}.scales`, 'F32', shapes.scales));
    if (scales && !(scales as Float32Array).every(Number.isFinite)) return undefined;
    return new PackedWeight({
      ...{ shape: [shape[0], shape[1]], format, group, in: inner, out },
      words: onDevice(tf.tensor2d(words as Int32Array, shapes.words, 'int32')),
      scales: scales && onDevice(tf.tensor2d(scales as Float32Array, shapes.scales!, 'float32')),
    });
  }

  async read(key: string): Promise<Tensor> {
    this.#refuse(key);
    return this.#reader.read(key);
  }

  async readInto(key: string, begin: number, into: Uint8Array): Promise<void> {
    this.#refuse(key);
    return this.#reader.readInto(key, begin, into);
  }

  finish = (): Promise<void> => this.#reader.finish();
  close = (): Promise<void> => this.#reader.close();

  #shapes(key: string, layout: MatrixLayout): ReturnType<typeof packedShapes> {
    const { format, group, shape } = this.#matrices.get(key)!;
    const [inner, out] = layout === 'in-out' ? shape : [shape[1], shape[0]];
    return packedShapes(inner, out, format, group);
  }

  async #part(key: string, dtype: string, shape: readonly number[]): Promise<Tensor['data']> {
    const info = this.#reader.tensors.get(key);
    if (!info) throw new InputError(`${this.#name}: no tensor '${key}'`);
    if (info.dtype !== dtype || info.shape.join() !== shape.join()) {
      throw new InputError(
        `${this.#name}: tensor '${key}' is ${info.dtype} of shape [${info.shape.join(', ')}]; expected ${dtype} of [${shape.join(', ')}]`,
      );
    }
    return (await this.#reader.read(key)).data;
  }

  #refuse(key: string): void {
    const matrix = this.#matrices.get(key);
    if (!matrix) return;
    throw new InputError(
      `${this.#name}: '${key}' is saved packed in ${quoted(matrix.format)}, and is loaded as it is; expected no dtype`,
    );
  }
}

/** The type whose least bytes a checkpoint's matrices take in memory where no other is asked for. */
export const leastTypeOf = (quantization: unknown): 'f32' | 'int4' =>
  quantization === undefined || isDequantized(methodOf(quantization)) ? 'f32' : 'int4';

const methodOf = (quantization: unknown): unknown =>
  (Object(quantization) as { quant_method?: unknown }).quant_method;

/**
 * The entry of `config.json` about weights in fewer bits, and the document without it.
 *
 * @throws InputError for a method that is not read, naming it
 */
export function quantizationOf(
  json: unknown,
  name: string,
): { json: unknown; quantization?: unknown } {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return { json };
  const { quantization_config: quantization, ...rest } = json as Record<string, unknown>;
  if (quantization === undefined || quantization === null) return { json };
  const given = methodOf(quantization);
  const read = [method, ...quantizedMethods];
  if (read.includes(given as string)) return { json: rest, quantization };
  throw new InputError(
    `${name}: 'quantization_config.quant_method' is ${quoted(given)}; expected one of ${read.join(', ')}, or weights that are not packed: of GGUF files, types with blocks are read`,
  );
}
