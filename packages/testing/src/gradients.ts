import * as tf from '@tensorflow/tfjs';

/** A seeded standard normal tensor; needs no generator of ours. */
export function gaussian(shape: number[], seed: number): tf.Tensor {
  return tf.randomNormal(shape, 0, 1, 'float32', seed);
}

/** Outputs and every gradient of a function for one random cotangent. */
export function outputAndGradients(
  f: (...inputs: tf.Tensor[]) => tf.Tensor,
  inputs: tf.Tensor[],
  cotangentSeed = 12345,
): { output: tf.Tensor; gradients: tf.Tensor[] } {
  const output = f(...inputs);
  const cotangent = gaussian(output.shape, cotangentSeed);
  const gradients = tf.grads((...xs: tf.Tensor[]) => f(...xs))(inputs, cotangent);
  cotangent.dispose();
  return { output, gradients };
}

/**
 * Compares a gradient with a central difference along one random direction, on the backend in use.
 *
 * @param f maps the inputs to one tensor; its random projection is differentiated
 * @throws where `|dᵀ∇f − (f(x + hd) − f(x − hd)) / 2h|` exceeds `ratio` of the gradient's size
 */
export async function checkGradients(
  f: (...inputs: tf.Tensor[]) => tf.Tensor,
  inputs: tf.Tensor[],
  {
    step = 1e-2,
    ratio = 1e-2,
    seed = 7,
  }: { step?: number | undefined; ratio?: number | undefined; seed?: number | undefined } = {},
): Promise<void> {
  const directions = inputs.map((x, i) => gaussian(x.shape, seed + i));
  const shape = tf.tidy(() => f(...inputs).shape);
  const cotangent = gaussian(shape, seed + 100);
  const scalar = (...xs: tf.Tensor[]): tf.Scalar =>
    f(...xs)
      .mul(cotangent)
      .sum() as tf.Scalar;
  const along = (h: number) =>
    tf.tidy(() => scalar(...inputs.map((x, i) => x.add(directions[i]!.mul(h)))));
  const [above, below] = [along(step), along(-step)];
  const numeric = ((await above.data())[0]! - (await below.data())[0]!) / (2 * step);
  const gradients = tf.grads((...xs: tf.Tensor[]) => scalar(...xs))(inputs);
  const projected = tf.tidy(() => tf.addN(gradients.map((g, i) => g.mul(directions[i]!).sum())));
  const norm = tf.tidy(() => tf.addN(gradients.map((g) => g.square().sum())).sqrt());
  const analytic = (await projected.data())[0]!;
  const size = (await norm.data())[0]!;
  tf.dispose([above, below, projected, norm, cotangent, ...gradients, ...directions]);
  if (!(Math.abs(analytic - numeric) <= ratio * Math.max(size, 1e-3))) {
    throw new Error(
      `the gradient along a random direction is ${analytic}; a central difference gives ${numeric}`,
    );
  }
}
