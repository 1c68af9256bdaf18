import { readFileSync } from 'node:fs';
import { readSafetensors, type SafetensorsFile, toFloat32 } from '@headwise/safetensors';
import * as tf from '@tensorflow/tfjs';

/** A tiny checkpoint of Hugging Face's, and what transformers computes from it. */
export interface Golden {
  config: Record<string, unknown>;
  /** The class that computed. */
  kind: string;
  /** What is differentiated, in words. */
  loss: string;
  /** Tensors in the checkpoint that are no parameters. */
  buffers: string[];
  weights: SafetensorsFile;
  /** Keys of what was given to the model, without `inputs.`. */
  inputs: Record<string, tf.Tensor>;
  expected: SafetensorsFile;
}

const folder = new URL('../../goldens/', import.meta.url);

/** A golden by its folder's name below packages/models/goldens. */
export function readGolden(name: string): Golden {
  const at = (file: string) => new URL(`${name}/${file}`, folder);
  const json = (file: string) => JSON.parse(readFileSync(at(file), 'utf8'));
  const tensors = (file: string) => readSafetensors(readFileSync(at(file)), { name: file });
  const expected = tensors('expected.safetensors');
  const note = json('expected.json') as Record<'class' | 'loss', string> & { buffers: string[] };
  const inputs = [...expected.tensors.keys()].filter((key) => key.startsWith('inputs.'));
  return {
    config: json('config.json'),
    kind: note.class,
    loss: note.loss,
    buffers: note.buffers,
    weights: tensors('model.safetensors'),
    inputs: Object.fromEntries(
      inputs.map((key) => [key.slice('inputs.'.length), tensorOf(expected, key)]),
    ),
    expected,
  };
}

/** A tensor of a file on the backend in use; integers as int32. */
export function tensorOf(file: SafetensorsFile, key: string): tf.Tensor {
  const { dtype, shape, data } = file.get(key);
  if (dtype === 'F32') return tf.tensor(valuesOf(file, key), [...shape]);
  return tf.tensor(Int32Array.from(data as Int32Array), [...shape], 'int32');
}

/** The values of a float tensor of a file. */
export function valuesOf(file: SafetensorsFile, key: string): Float32Array {
  return toFloat32(file.get(key), { file: 'expected.safetensors', key });
}

/** Zeros where the query is padding, as in the goldens. */
export function withoutPadding(value: tf.Tensor, mask: tf.Tensor): tf.Tensor {
  const [batch, length] = mask.shape as [number, number];
  const along = value.rank === 4 ? 2 : 1;
  if (value.shape[0] !== batch || value.rank < 2 || value.shape[along] !== length) return value;
  const shape = value.shape.map((n, axis) => (axis === 0 || axis === along ? n : 1));
  return value.mul(mask.reshape(shape).toFloat());
}
