import { InputError } from '@headwise/core';
import type { TensorInfo } from '@headwise/safetensors';
import {
  type KeyCopy,
  type KeyPart,
  type KeyTable,
  type ModelFamily,
  placeOf,
  shapeInFile,
} from '../family.js';
import type { RowOrder } from './row-order.js';

/** Where a parameter's values lie. */
export interface Found {
  key: string;
  info: TensorInfo;
  /** The order of its rows there, where it is another. */
  rows: (() => RowOrder) | undefined;
  /** Which part of the tensor it is, where the tensor holds several parameters. */
  part: KeyPart | undefined;
  /** Where the values behind those of this tensor lie, where the parameter is made of several. */
  pieces?: readonly Piece[] | undefined;
  /** Whether it is the transpose of the parameter. */
  turned?: boolean | undefined;
}

/** One of the tensors that a parameter is made of. */
export type Piece = Pick<Found, 'key' | 'info'>;

/** The bytes that a parameter's values take in its files. */
export function bytesOf({ info, part, pieces = [] }: Found): number {
  const own = (piece: Pick<Found, 'info'>) => piece.info.offsets[1] - piece.info.offsets[0];
  return (own({ info }) + pieces.reduce((sum, piece) => sum + own(piece), 0)) / (part?.of ?? 1);
}

/** Finds the parameters of a family's model among the tensors of a checkpoint, and tells what does not fit. */
export class Matching {
  /** All that the checkpoint's tensors take. */
  readonly bytes: number;
  readonly #asked = new Set<string>();
  readonly #family: ModelFamily;
  readonly #tensors: ReadonlyMap<string, TensorInfo>;
  readonly #name: string;
  readonly #bare: boolean;
  readonly #table: KeyTable;
  readonly #copies: readonly KeyCopy[];

  /**
   * @param name of the checkpoint, for errors
   * @param same copies that were found to repeat what they should
   * @param copies pairs of keys that may be read from each other where only one is stored; default those that the configuration ties
   */
  constructor(
    family: ModelFamily,
    config: unknown,
    tensors: ReadonlyMap<string, TensorInfo>,
    name: string,
    same: readonly string[] = [],
    copies: readonly KeyCopy[] = family.copies?.(config) ?? [],
  ) {
    this.bytes = [...tensors.values()].reduce(
      (sum, { offsets: [begin, end] }) => sum + end - begin,
      0,
    );
    this.#family = family;
    this.#tensors = tensors;
    this.#name = name;
    this.#table = family.keys(config);
    // Checkpoints of the bare model, such as the first GPT-2's, have no prefix.
    this.#bare = ![...tensors.keys()].some((key) => key.startsWith(family.keyPrefix));
    this.#copies = copies;
    for (const copy of same) this.#asked.add(this.keyOf(copy)!);
  }

  /** The key of a tensor as the checkpoint spells it; undefined where it has none. */
  keyOf(key: string): string | undefined {
    return this.#spellings(key).find((spelling) => this.#tensors.has(spelling));
  }

  /**
   * The tensor that holds a parameter.
   *
   * @throws InputError where there is none, or one of another shape or type
   */
  find(path: string, shape: readonly number[]): Found {
    const { key, rows, part, keys = [key], turned: other } = placeOf(this.#table, path);
    const turned = other && shape.length === 2;
    const given = turned ? [...shape].reverse() : shape;
    const own = [given[0]! / keys.length, ...given.slice(1)];
    const [first, ...others] = keys.map((key) => this.#tensor(key, path, shapeInFile(own, part)));
    const pieces = others.length > 0 ? { pieces: others } : {};
    return { ...first!, rows, part, ...pieces, ...(turned ? { turned } : {}) };
  }

  #tensor(whole: string, path: string, expected: readonly number[]): Piece {
    const key = this.keyOf(whole) ?? this.#keyOfTied(whole) ?? this.#spellings(whole)[0]!;
    const info = this.#tensors.get(key);
    if (!info) {
      throw new InputError(`${this.#name}: no tensor '${key}', which holds parameter '${path}'`);
    }
    if (info.shape.join() !== expected.join()) {
      throw new InputError(
        `${this.#name}: tensor '${key}' has shape [${info.shape.join(', ')}]; the configuration needs [${expected.join(', ')}]`,
      );
    }
    if (!/^(F64|F32|F16|BF16)$/.test(info.dtype)) {
      throw new InputError(
        `${this.#name}: tensor '${key}' is of type ${info.dtype}; expected F32, F16 or BF16`,
      );
    }
    this.#asked.add(key);
    return { key, info };
  }

  /** The key that holds a tied weight stored under another of its keys only. */
  #keyOfTied(key: string): string | undefined {
    const others = this.#copies.flatMap(([copy, of]) =>
      of === key ? [copy] : copy === key ? [of] : [],
    );
    return others.map((other) => this.keyOf(other)).find((found) => found !== undefined);
  }

  /** Whether the checkpoint lacks a parameter that its family's checkpoints may lack. */
  mayLack(path: string): boolean {
    const { key } = placeOf(this.#table, path);
    const optional = this.#family.optionalKeys?.test(key) ?? false;
    return optional && this.keyOf(key) === undefined;
  }

  /** How a key may be spelt, the likeliest first: with the family's prefix or without, and as it was before. */
  #spellings(key: string): string[] {
    const { keyPrefix, oldKey } = this.#family;
    const bare = key.startsWith(keyPrefix) ? key.slice(keyPrefix.length) : key;
    const now = [this.#bare ? bare : key, keyPrefix + bare, bare];
    return oldKey ? [...now, ...now.map(oldKey)] : now;
  }

  /** The keys that were not read, except buffers, which follow from the configuration. */
  unused(): string[] {
    const { ignoredKeys } = this.#family;
    return [...this.#tensors.keys()].filter(
      (key) => !this.#asked.has(key) && !ignoredKeys.test(key),
    );
  }
}
