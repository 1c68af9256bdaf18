import { InputError } from '@headwise/core';
import { type TensorReader, toFloat32 } from '@headwise/safetensors';
import type { ModelFamily } from '../family.js';
import { Matching } from './matching.js';

/** Bytes of each of two tensors that are compared at a time. */
const PIECE_BYTES = 2 ** 23;

/** A family's configuration as a checkpoint has it, and where the checkpoint's tensors go. */
export interface Fitted {
  config: unknown;
  matching: Matching;
}

/**
 * Compares what a configuration ties with what a checkpoint holds: as transformers 5 does, weights that are there
 * twice with different values are not tied, and tied ones that are there once are read from where they are.
 *
 * @throws InputError where weights differ that the family cannot have apart
 */
export async function fitToTensors(
  family: ModelFamily,
  config: unknown,
  reader: TensorReader,
  name: string,
): Promise<Fitted> {
  const before = new Matching(family, config, reader.tensors, name);
  const same: string[] = [];
  const differing: string[] = [];
  const copies = family.copies?.(config) ?? [];
  for (const [copy, of] of copies) {
    const at = before.keyOf(copy);
    // Where what they repeat is not there, copies repeat the first of them.
    const keys = [of, ...copies.filter(([, other]) => other === of).map(([key]) => key)];
    const original = keys.map((key) => before.keyOf(key)).find((key) => key !== undefined);
    if (at === undefined || original === undefined || at === original) continue;
    ((await sameValues(reader, at, original)) ? same : differing).push(copy);
  }
  const has = (key: string) => before.keyOf(key) !== undefined;
  const fitted = family.fitted?.(config, { has, differing }) ?? config;
  const tied = new Map(family.copies?.(fitted) ?? []);
  const refused = differing.find((copy) => tied.has(copy));
  if (refused !== undefined) {
    throw new InputError(
      `${name}: tensor '${before.keyOf(refused)}' is another than '${tied.get(refused)}'; in models of family '${family.modelType}' they are one`,
    );
  }
  // What else the configuration ties is still read from where it is, as a bias beside a head that differs.
  const matching = new Matching(family, fitted, reader.tensors, name, same, copies);
  return { config: fitted, matching };
}

async function sameValues(reader: TensorReader, a: string, b: string): Promise<boolean> {
  const [one, other] = [reader.tensors.get(a)!, reader.tensors.get(b)!];
  if (one.shape.join() !== other.shape.join()) return false;
  if (one.dtype !== other.dtype) return sameNumbers(reader, a, b);
  const bytes = one.offsets[1] - one.offsets[0];
  for (let offset = 0; offset < bytes; offset += PIECE_BYTES) {
    const length = Math.min(PIECE_BYTES, bytes - offset);
    const [x, y] = [new Uint8Array(length), new Uint8Array(length)];
    await reader.readInto(a, offset, x);
    await reader.readInto(b, offset, y);
    if (x.some((byte, i) => byte !== y[i])) return false;
  }
  return true;
}

/** Tensors of two types, each in one piece. */
async function sameNumbers(reader: TensorReader, a: string, b: string): Promise<boolean> {
  const [x, y] = [toFloat32(await reader.read(a)), toFloat32(await reader.read(b))];
  return x.every((value, i) => value === y[i]);
}
