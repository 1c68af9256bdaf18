import { checkShape, InputError, type LanguageModel, quoted, readTensor } from '@headwise/core';
import { type CacheStorage, KeyValueCache } from '@headwise/decoding';
import type { LazyTensorInput, Metadata, SafetensorsReader } from '@headwise/safetensors';
import { toFloat32 } from '@headwise/safetensors';
import * as tf from '@tensorflow/tfjs';
import type { PrefixTree } from './prefix-tree.js';

/** What `writeSafetensorsFile` and `streamSafetensors` of `@headwise/safetensors` write. */
export interface SavedPrefixes {
  readonly tensors: Readonly<Record<string, LazyTensorInput>>;
  readonly metadata: Metadata;
}

const format = 'headwise-prefix-cache-1';

/** A node of the tree: its own ids, and the number of the node before it; −1 at the beginning of a prompt. */
interface SavedNode {
  readonly parent: number;
  readonly ids: readonly number[];
}

/** Tokens that are computed anew to compare a file with a model. */
const comparedTokens = 8;

/** The largest difference from what is stored, as a part of its root mean square: rounding of another backend is far below. */
const tolerance = 5e-3;

/** What a file says of the model that it is for. */
const fingerprintOf = ({ vocabSize, maxLength }: LanguageModel, part: KeyValueCache): string =>
  JSON.stringify({
    vocabSize,
    maxLength: String(maxLength),
    layers: part.paths.map((path) => {
      const [, heads, , width] = part.shapeOf(path);
      return { path, heads, width };
    }),
  });

const nameOf = (node: number, path: string, which: 'k' | 'v'): string => `${node}.${path}.${which}`;

/** Every node of a tree as tensors `[Hkv, T, Dh]`, float32, that are read when they are written. */
export function savedTree(network: LanguageModel, tree: PrefixTree<KeyValueCache>): SavedPrefixes {
  const nodes = [...tree.nodes()];
  const tensors: Record<string, LazyTensorInput> = {};
  for (const [n, { part }] of nodes.entries()) {
    for (const path of part.paths) {
      const [, heads, , width] = part.shapeOf(path);
      for (const which of ['k', 'v'] as const) {
        const { length } = part;
        const data = async () => {
          const { k, v } = part.copy(path, 0, 0, length);
          try {
            return (await readTensor(which === 'k' ? k : v)) as Float32Array;
          } finally {
            tf.dispose([k, v]);
          }
        };
        tensors[nameOf(n, path, which)] = { dtype: 'F32', shape: [heads, length, width], data };
      }
    }
  }
  const saved: SavedNode[] = nodes.map(({ ids, parent }) => ({
    parent: parent ? nodes.indexOf(parent) : -1,
    ids,
  }));
  const model = nodes.length > 0 ? fingerprintOf(network, nodes[0]!.part) : '';
  return { tensors, metadata: { format, model, nodes: JSON.stringify(saved) } };
}

/**
 * Puts the prompts of a file into an empty tree, after a comparison with what the model computes.
 *
 * @throws InputError for a file of another kind or another model, SafetensorsError for a broken one
 */
export async function loadTree(
  network: LanguageModel,
  file: SafetensorsReader,
  tree: PrefixTree<KeyValueCache>,
  storage: CacheStorage,
): Promise<void> {
  const nodes = nodesOf(file.metadata);
  if (nodes.length === 0) return;
  const computed = new KeyValueCache();
  try {
    const ids = nodes[0]!.ids.slice(0, comparedTokens);
    tf.tidy(() => {
      network.forward(tf.tensor2d([[...ids]], [1, ids.length], 'int32'), { cache: computed });
    });
    const expected = fingerprintOf(network, computed);
    if (file.metadata.model !== expected) {
      throw new InputError(
        `prefix cache: the file is for a model ${file.metadata.model}; expected ${expected}`,
      );
    }
    const whole: (readonly number[])[] = [];
    for (const [n, { parent, ids }] of nodes.entries()) {
      const before = parent < 0 ? [] : whole[parent]!;
      whole.push([...before, ...ids]);
      const part = await partFrom(file, n, ids.length, {
        paths: computed.paths,
        like: computed,
        storage,
      });
      try {
        if (n === 0) await checkEqual(part, computed);
        if (tree.match(whole[n]!) !== before.length) {
          throw new InputError(`prefix cache: node ${n} of the file repeats another one`);
        }
      } catch (error) {
        part.dispose();
        throw error;
      }
      tree.add(whole[n]!, () => part);
    }
  } finally {
    computed.dispose();
  }
}

/** @throws InputError unless the metadata are those of `savedTree` */
function nodesOf(metadata: Metadata): readonly SavedNode[] {
  if (metadata.format !== format) {
    throw new InputError(
      `prefix cache: the file has format ${quoted(metadata.format)}; expected '${format}'`,
    );
  }
  let nodes: unknown;
  try {
    nodes = JSON.parse(metadata.nodes ?? '');
  } catch (cause) {
    throw new InputError("prefix cache: the file's nodes are not JSON", { cause });
  }
  const isId = (id: unknown) => Number.isSafeInteger(id) && (id as number) >= 0;
  const isNode = (node: Partial<SavedNode> | null, n: number) =>
    Number.isSafeInteger(node?.parent) &&
    node!.parent! >= -1 &&
    node!.parent! < n &&
    Array.isArray(node!.ids) &&
    node!.ids.length > 0 &&
    node!.ids.every(isId);
  if (Array.isArray(nodes) && nodes.every(isNode)) return nodes;
  throw new InputError("prefix cache: the file's nodes are not a list of { parent, ids }");
}

/** The keys and values of a node. */
async function partFrom(
  file: SafetensorsReader,
  node: number,
  tokens: number,
  { paths, like, storage }: { paths: string[]; like: KeyValueCache; storage: CacheStorage },
): Promise<KeyValueCache> {
  const part = new KeyValueCache({ capacity: tokens, storage });
  try {
    for (const path of paths) {
      const [, heads, , width] = like.shapeOf(path);
      const read = async (which: 'k' | 'v') => {
        const name = nameOf(node, path, which);
        const tensor = await file.read(name);
        checkShape(`prefix cache: tensor '${name}'`, tensor.shape, [heads, tokens, width]);
        return toFloat32(tensor);
      };
      const [k, v] = [await read('k'), await read('v')];
      tf.tidy(() => {
        const rows = (values: Float32Array) => tf.tensor4d(values, [1, heads, tokens, width]);
        part.append(path, rows(k), rows(v));
      });
    }
    return part;
  } catch (error) {
    part.dispose();
    throw error;
  }
}

/** @throws InputError where keys or values of the first tokens differ */
async function checkEqual(stored: KeyValueCache, computed: KeyValueCache): Promise<void> {
  const { length } = computed;
  const worst = tf.tidy(() => {
    const differences = computed.paths.flatMap((path) => {
      const [a, b] = [stored, computed].map((cache) => cache.copy(path, 0, 0, length));
      return (['k', 'v'] as const).map((which) => {
        const scale = b![which].square().mean().sqrt().maximum(1e-6);
        return a![which].sub(b![which]).square().mean().sqrt().div(scale);
      });
    });
    return tf.stack(differences).max();
  });
  const [difference] = await readTensor(worst);
  worst.dispose();
  if (difference! <= tolerance) return;
  throw new InputError(
    `prefix cache: the file's keys and values differ from the model's by ${difference!.toPrecision(2)} of their size; expected at most ${tolerance}: it was made with other weights`,
  );
}
