import type * as Jax from '@jax-js/jax';
import type { numpy, OwnedFunction } from '@jax-js/jax';
import { type TrainedFamily, type TrainingSizes, trainingIds } from './sizes.js';
import type { Trainer } from './trainer.js';

type Matrix = numpy.Array;

/**
 * Trains GPT-2 in jax-js, as one compiled function of parameters and moments, on its WebAssembly backend.
 *
 * On Dawn in Node its WebGPU backend binds buffers larger than a software adapter allows, and gives zeros.
 *
 * @returns why there is none
 */
export async function jaxTrainer(
  family: TrainedFamily,
  sizes: TrainingSizes,
  rows: number,
): Promise<Trainer | string> {
  if (family !== 'gpt2') return `only GPT-2 is written in it, not ${family}`;
  const jax = await import('@jax-js/jax');
  await jax.init('wasm');
  jax.defaultDevice('wasm');
  const { numpy: np, tree } = jax;
  const ids = trainingIds(family, sizes, rows);
  const shape = [rows, sizes.length];
  const matrix = (values: Int32Array) => np.array(values, { dtype: np.int32 }).reshape(shape);
  const [inputs, targets] = [matrix(ids.inputs), matrix(ids.targets)];
  const parameters = tree.flatten(gpt2Parameters(jax, sizes));
  let values = parameters[0] as Matrix[];
  let means = values.map(({ shape }) => np.zeros(shape));
  let squares = values.map(({ shape }) => np.zeros(shape));
  const update = adamW(jax, (leaves, x, y) => {
    const parts = tree.unflatten(parameters[1], leaves) as Gpt2Parameters;
    return gpt2Loss(jax, parts, x, y, sizes);
  });
  let steps = 0;
  return {
    async step() {
      steps++;
      const made = update(values, means, squares, np.array(steps), inputs.ref, targets.ref);
      [values, means, squares] = [made.values, made.means, made.squares];
      const [loss] = await made.loss.data();
      await jax.blockUntilReady(values);
      return { loss: loss! };
    },
    dispose() {
      tree.dispose([values, means, squares, inputs, targets]);
      update.dispose();
    },
  };
}

interface Updated {
  [key: string]: Matrix | Matrix[];
  loss: Matrix;
  values: Matrix[];
  means: Matrix[];
  squares: Matrix[];
}

type Update = (
  values: Matrix[],
  means: Matrix[],
  squares: Matrix[],
  step: Matrix,
  inputs: Matrix,
  targets: Matrix,
) => Updated;

/** AdamW after clipping to a norm of 1, compiled with the loss; it takes ownership of what it is given. */
function adamW(
  { jit, numpy: np, tree, valueAndGrad }: typeof Jax,
  loss: (values: Matrix[], inputs: Matrix, targets: Matrix) => Matrix,
): OwnedFunction<Update> {
  const [beta1, beta2, rate, decay] = [0.9, 0.999, 1e-3, 0.01];
  return jit((values, means, squares, step, inputs, targets): Updated => {
    const [value, gradients] = valueAndGrad(loss)(tree.ref(values), inputs, targets);
    const norm = np.sqrt(
      gradients.map((g) => np.square(g.ref).sum()).reduce((sum, square) => sum.add(square)),
    );
    const scale = np.minimum(np.array(1).div(norm.add(1e-6)), 1);
    const correction1 = np.array(1).sub(np.power(beta1, step.ref));
    const correction2 = np.array(1).sub(np.power(beta2, step));
    const updated = gradients.map((gradient, i) => {
      const clipped = gradient.mul(scale.ref);
      const mean = means[i]!.mul(beta1).add(clipped.ref.mul(1 - beta1));
      const square = squares[i]!.mul(beta2).add(np.square(clipped).mul(1 - beta2));
      const direction = mean.ref
        .div(correction1.ref)
        .div(np.sqrt(square.ref.div(correction2.ref)).add(1e-8));
      const kept = values[i]!.mul(values[i]!.ndim > 1 ? 1 - rate * decay : 1);
      return { value: kept.sub(direction.mul(rate)), mean, square };
    });
    tree.dispose([scale, correction1, correction2]);
    return {
      loss: value,
      values: updated.map(({ value }) => value),
      means: updated.map(({ mean }) => mean),
      squares: updated.map(({ square }) => square),
    };
  });
}

type AffineParameters = { weight: Matrix; bias: Matrix };

type Gpt2Parameters = {
  tokens: Matrix;
  positions: Matrix;
  blocks: Record<'norm1' | 'q' | 'k' | 'v' | 'out' | 'norm2' | 'up' | 'down', AffineParameters>[];
  norm: AffineParameters;
};

function gpt2Parameters(
  { numpy: np, random }: typeof Jax,
  { dim, layers, vocabulary, length }: TrainingSizes,
): Gpt2Parameters {
  let key = 0;
  const matrix = (shape: number[]) => random.normal(random.key(key++), shape).mul(0.02);
  const affine = (inputs: number, outputs: number) => ({
    weight: matrix([inputs, outputs]),
    bias: np.zeros([outputs]),
  });
  const norm = () => ({ weight: np.ones([dim]), bias: np.zeros([dim]) });
  return {
    tokens: matrix([vocabulary, dim]),
    positions: matrix([length, dim]),
    blocks: Array.from({ length: layers }, () => ({
      norm1: norm(),
      q: affine(dim, dim),
      k: affine(dim, dim),
      v: affine(dim, dim),
      out: affine(dim, dim),
      norm2: norm(),
      up: affine(dim, 4 * dim),
      down: affine(4 * dim, dim),
    })),
    norm: norm(),
  };
}

/** The mean cross-entropy of the next tokens; takes ownership of what it is given. */
function gpt2Loss(
  { nn, numpy: np, tree }: typeof Jax,
  parameters: Gpt2Parameters,
  inputs: Matrix,
  targets: Matrix,
  { dim, heads, length, vocabulary }: TrainingSizes,
): Matrix {
  const rows = inputs.shape[0]!;
  const affine = (x: Matrix, { weight, bias }: AffineParameters) =>
    np.matmul(x, weight.ref).add(bias.ref);
  const norm = (x: Matrix, { weight, bias }: AffineParameters) =>
    nn.standardize(x, -1, { epsilon: 1e-5 }).mul(weight.ref).add(bias.ref);
  const split = (x: Matrix) =>
    np.transpose(x.reshape([rows, length, heads, dim / heads]), [0, 2, 1, 3]);
  const after = Float32Array.from({ length: length * length }, (_, i) =>
    i % length > Math.floor(i / length) ? -1e9 : 0,
  );
  const bias = np.array(after).reshape([length, length]);
  const { tokens, positions, blocks } = parameters;
  let x = tokens.ref.slice(inputs).add(positions.ref);
  for (const { norm1, q, k, v, out, norm2, up, down } of blocks) {
    const normed = norm(x.ref, norm1);
    const keys = np.transpose(split(affine(normed.ref, k)), [0, 1, 3, 2]);
    const scores = np.matmul(split(affine(normed.ref, q)), keys).mul(Math.sqrt(heads / dim));
    const weights = nn.softmax(scores.add(bias.ref), -1);
    const mixed = np.transpose(np.matmul(weights, split(affine(normed, v))), [0, 2, 1, 3]);
    x = x.add(affine(mixed.reshape([rows, length, dim]), out));
    const hidden = nn.gelu(affine(norm(x.ref, norm2), up), { approximate: true });
    x = x.add(affine(hidden, down));
  }
  bias.dispose();
  const last = norm(x, parameters.norm).reshape([rows * length, dim]);
  const logits = np.matmul(last, np.transpose(tokens.ref));
  const oneHot = nn.oneHot(targets.reshape([rows * length]), vocabulary);
  tree.dispose(parameters);
  return nn
    .logSoftmax(logits, -1)
    .mul(oneHot)
    .sum()
    .mul(-1 / (rows * length));
}
