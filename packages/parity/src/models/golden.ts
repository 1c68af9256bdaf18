import { InputError } from '@headwise/core';
import type { CheckpointFiles } from '@headwise/models';
import { type ByteSource, SafetensorsReader, toFloat32 } from '@headwise/safetensors';
import * as tf from '@tensorflow/tfjs';

export type Tensors = Record<string, tf.Tensor>;

/** Tokens that a model appends to a prompt, or gives for a source, each the best after those before it. */
export interface Greedy {
  readonly prompt?: readonly number[] | undefined;
  /** The row of the golden's inputs that the encoder reads, where it reads no ids. */
  readonly row?: number | undefined;
  /** What the first token is whatever the scores say, as that of a language. */
  readonly forced?: number | undefined;
  readonly tokens: readonly number[];
}

/** A checkpoint, what Hugging Face transformers was given with it, and what it computed in float64. */
export interface Golden {
  files: CheckpointFiles;
  /** The class of its model. */
  kind: string;
  inputs: Tensors;
  outputs: Record<string, Float32Array>;
  /** By the keys of the checkpoint. */
  gradients: Record<string, Float32Array>;
  loss: number;
  /** Tensors of the checkpoint that are not parameters. */
  buffers: string[];
  /** Greedy tokens of a decoder, where transformers was asked for some. */
  greedy: Greedy | undefined;
}

/**
 * Reads a golden: `expected.json` and `expected.safetensors`, which lie beside a checkpoint.
 *
 * The caller disposes the inputs.
 *
 * @throws InputError or SafetensorsError naming the file that is missing or wrong
 */
export async function readGolden(files: CheckpointFiles): Promise<Golden> {
  const note = JSON.parse(new TextDecoder().decode(await readAll(await opened(files, noteName))));
  const {
    class: kind,
    buffers = [],
    greedy,
  } = note as { class: string; buffers?: string[] | undefined; greedy?: Greedy | undefined };
  const reader = await SafetensorsReader.open(await opened(files, tensorsName));
  const golden: Golden = {
    ...{ files, kind, buffers, greedy },
    ...{ inputs: {}, outputs: {}, gradients: {}, loss: Number.NaN },
  };
  try {
    for (const key of reader.tensors.keys()) {
      const tensor = await reader.read(key);
      const [part, ...rest] = key.split('.');
      const name = rest.join('.');
      const floats = () => toFloat32(tensor, { file: tensorsName, key });
      if (part === 'loss') golden.loss = floats()[0]!;
      else if (part === 'outputs') golden.outputs[name] = floats();
      else if (part === 'gradients') golden.gradients[name] = floats();
      else {
        const [values, type] =
          tensor.dtype === 'I32'
            ? ([Int32Array.from(tensor.data as Int32Array), 'int32'] as const)
            : ([floats(), 'float32'] as const);
        golden.inputs[name] = tf.tensor(values, [...tensor.shape], type);
      }
    }
    return golden;
  } catch (error) {
    tf.dispose(golden.inputs);
    throw error;
  } finally {
    await reader.close();
  }
}

const noteName = 'expected.json';
const tensorsName = 'expected.safetensors';

/** Whether there is something to compare a checkpoint with. */
export async function hasGolden(files: CheckpointFiles): Promise<boolean> {
  const source = await files.open(tensorsName);
  await source?.close();
  return source !== undefined;
}

async function opened(files: CheckpointFiles, name: string): Promise<ByteSource> {
  const source = await files.open(name);
  if (source) return source;
  throw new InputError(`${files.name}/${name}: is missing; a golden has one`);
}

async function readAll(source: ByteSource): Promise<Uint8Array> {
  try {
    const bytes = new Uint8Array(source.size);
    await source.read(0, bytes);
    return bytes;
  } finally {
    await source.close();
  }
}
