import { type StepPlan, stepLogits } from '@headwise/decoding';
import {
  type DecodeWeight,
  foldNorm,
  type Norm,
  packWeight,
  type WeightFormat,
} from '@headwise/kernels';
import { gaussian } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';

export interface DecodeSizes {
  layers: number;
  dim: number;
  heads: number;
  vocabulary: number;
  /** Tokens in the cache, the one that is decoded included. */
  length: number;
}

type Affine = [weight: tf.Tensor2D, bias: tf.Tensor1D];

interface Block {
  norm1: Norm & { kind: 'layer' };
  qkv: Affine;
  out: Affine;
  norm2: Norm & { kind: 'layer' };
  up: Affine;
  down: Affine;
  /** `[1, H, T, Dh]` each */
  cache: { k: tf.Tensor4D; v: tf.Tensor4D };
}

type PackedAffine = [weight: DecodeWeight, bias: tf.Tensor1D];

/** What one block of `decode` multiplies with. */
interface DecodeBlock {
  norm1: Norm;
  qkv: PackedAffine;
  out: PackedAffine;
  norm2: Norm;
  up: PackedAffine;
  down: PackedAffine;
}

/** A model's packed weights, its norms folded into the maps after them; the embeddings stay as they are. */
export interface PackedWeights {
  blocks: DecodeBlock[];
  head: DecodeWeight;
}

/** Random weights in the shape of GPT-2, and the ways to decode one token with them. */
export class DecodeModel {
  readonly #sizes: DecodeSizes;
  readonly #table: readonly [tf.Tensor2D, tf.Tensor2D];
  readonly #positions: tf.Tensor2D;
  readonly #blocks: Block[];
  readonly #norm: Norm & { kind: 'layer' };
  /** The token and its position, as a step reads them. */
  readonly token: Int32Array;
  readonly state: tf.Tensor1D;

  constructor(sizes: DecodeSizes) {
    this.#sizes = sizes;
    const { layers, dim, heads, vocabulary, length } = sizes;
    let seed = 0;
    const random = (shape: number[], scale = 0.02) =>
      tf.tidy(() => gaussian(shape, seed++).mul(scale));
    const affine = (inner: number, out: number) =>
      [random([inner, out]), random([out])] as unknown as Affine;
    const norm = () => ({ kind: 'layer' as const, weight: tf.ones([dim]), bias: random([dim]) });
    // One buffer of the whole table is more than a software adapter binds.
    const cut = vocabulary >> 1;
    this.#table = [
      random([cut, dim]) as tf.Tensor2D,
      random([vocabulary - cut, dim]) as tf.Tensor2D,
    ];
    this.#positions = random([length, dim]) as tf.Tensor2D;
    this.#blocks = Array.from({ length: layers }, () => ({
      norm1: norm(),
      qkv: affine(dim, 3 * dim),
      out: affine(dim, dim),
      norm2: norm(),
      up: affine(dim, 4 * dim),
      down: affine(4 * dim, dim),
      cache: {
        k: random([1, heads, length, dim / heads], 1) as tf.Tensor4D,
        v: random([1, heads, length, dim / heads], 1) as tf.Tensor4D,
      },
    }));
    this.#norm = norm();
    this.token = Int32Array.of(length - 1, 464, 0, 0);
    this.state = tf.tensor1d(this.token, 'int32');
  }

  /** The scores after the token of the state, five dispatches a layer and one at each end. */
  fused(): tf.Tensor2D {
    const float = (values: tf.Tensor2D, layout: 'in-out' | 'out-in' = 'in-out') => ({
      values,
      layout,
    });
    const affine = ([weight, bias]: Affine): PackedAffine => [float(weight), bias];
    const blocks = this.#blocks.map(({ norm1, qkv, out, norm2, up, down }) => ({
      norm1,
      qkv: affine(qkv),
      out: affine(out),
      norm2,
      up: affine(up),
      down: affine(down),
    }));
    return this.#decode(
      blocks,
      this.#table.map((part) => float(part, 'out-in')),
    );
  }

  /** The same with packed weights. */
  fusedPacked({ blocks, head }: PackedWeights): tf.Tensor2D {
    return this.#decode(blocks, [head]);
  }

  /** The weights once more, in another format. */
  async pack(format: WeightFormat): Promise<PackedWeights> {
    const packed = async ([weight, bias]: Affine): Promise<PackedAffine> => [
      packWeight((await weight.data()) as Float32Array, weight.shape, format),
      bias.clone(),
    ];
    const folded = async (norm: Norm & { kind: 'layer' }, [weight, bias]: Affine) => {
      const map = foldNorm(norm, weight, bias);
      const affine = await packed([map.weight, map.bias]);
      tf.dispose([map.weight, map.bias]);
      return { norm: map.norm, affine };
    };
    const blocks: DecodeBlock[] = [];
    for (const block of this.#blocks) {
      const [first, second] = [
        await folded(block.norm1, block.qkv),
        await folded(block.norm2, block.up),
      ];
      blocks.push({
        norm1: first.norm,
        qkv: first.affine,
        out: await packed(block.out),
        norm2: second.norm,
        up: second.affine,
        down: await packed(block.down),
      });
    }
    // Joined on the CPU, as one buffer of the whole table is more than a software adapter binds.
    const { dim, vocabulary } = this.#sizes;
    const table = new Float32Array(vocabulary * dim);
    let at = 0;
    for (const part of this.#table) {
      table.set((await part.data()) as Float32Array, at);
      at += part.size;
    }
    return { blocks, head: packWeight(table, [vocabulary, dim], format, 'out-in') };
  }

  #decode(blocks: readonly DecodeBlock[], head: readonly DecodeWeight[]): tf.Tensor2D {
    const { heads, dim } = this.#sizes;
    const linear = ([weight, bias]: PackedAffine) => ({ weights: [weight], bias });
    const scoring = { heads, headDim: dim / heads, scale: 1 / Math.sqrt(dim / heads) };
    const plan: StepPlan = {
      embedding: {
        table: this.#table.map((values) => ({ values, layout: 'out-in' })),
        positions: this.#positions,
      },
      layers: blocks.map(({ norm1, qkv, out, norm2, up, down }, i) => ({
        path: `${i}`,
        kind: 'pre-norm',
        norm1,
        norm2,
        qkv: linear(qkv),
        kvHeads: heads,
        scoring,
        out: linear(out),
        feedForward: { up: up[0], bias: up[1], activation: 'gelu_new', down: linear(down) },
      })),
      norm: this.#norm,
      head: { weights: head },
      dispose: () => {},
    };
    const rowsOf = (path: string) => this.#blocks[Number(path)]!.cache;
    return stepLogits(plan, { state: this.state, rowsOf, turn: undefined });
  }

  /** The same in operations of TensorFlow.js, past keys and values joined with the new ones. */
  stock(): tf.Tensor2D {
    const { dim, heads, length } = this.#sizes;
    const headDim = dim / heads;
    const [front, back] = this.#table;
    const cut = front.shape[0];
    // The token of the workload lies in the first part.
    const id = tf.tensor1d([464], 'int32');
    const embedded = tf.gather(front.shape[0] > 464 ? front : back, id);
    let x = embedded.add(this.#positions.slice([length - 1, 0], [1, dim])) as tf.Tensor2D;
    for (const { norm1, qkv, out, norm2, up, down, cache } of this.#blocks) {
      const [q, k, v] = tf
        .split(affineOf(normOf(x, norm1), qkv), 3, 1)
        .map((part) => part.reshape([heads, 1, headDim]));
      const past = (part: tf.Tensor4D) =>
        part
          .slice([0, 0, 0, 0], [1, heads, length - 1, headDim])
          .reshape([heads, length - 1, headDim]);
      const keys = tf.concat([past(cache.k), k!], 1);
      const values = tf.concat([past(cache.v), v!], 1);
      const weights = tf.softmax(tf.matMul(q!, keys, false, true).div(Math.sqrt(headDim)));
      const mixed = tf.matMul(weights, values).reshape<tf.Tensor2D>([1, dim]);
      x = x.add(affineOf(mixed, out));
      x = x.add(affineOf(geluOf(affineOf(normOf(x, norm2), up)), down));
    }
    const last = normOf(x, this.#norm);
    return tf
      .concat(
        this.#table.map((part) => tf.matMul(last, part, false, true)),
        1,
      )
      .reshape([1, cut + back.shape[0]]);
  }

  dispose(): void {
    tf.dispose([this.state, [...this.#table], this.#positions]);
    for (const { norm1, qkv, out, norm2, up, down, cache } of this.#blocks) {
      tf.dispose([
        norm1.weight,
        norm1.bias,
        norm2.weight,
        norm2.bias,
        qkv,
        out,
        up,
        down,
        cache.k,
        cache.v,
      ]);
    }
    tf.dispose([this.#norm.weight, this.#norm.bias]);
  }
}

const affineOf = (x: tf.Tensor2D, [weight, bias]: Affine): tf.Tensor2D =>
  tf.add(tf.matMul(x, weight), bias);

function normOf(x: tf.Tensor2D, { weight, bias }: Norm & { kind: 'layer' }): tf.Tensor2D {
  const { mean, variance } = tf.moments(x, 1, true);
  return x.sub(mean).div(variance.add(1e-5).sqrt()).mul(weight!).add(bias!);
}

function geluOf(x: tf.Tensor2D): tf.Tensor2D {
  const inner = x.add(x.pow(3).mul(0.044715)).mul(Math.sqrt(2 / Math.PI));
  return x.mul(0.5).mul(inner.tanh().add(1));
}
