import * as tf from '@tensorflow/tfjs';
import { outputAndGradients } from './gradients.js';

/**
 * `outputAndGradients` on the cpu backend, whose products add in float64, and whose first run waits
 * for no shader to be compiled; then goes back to the backend in use.
 */
export async function outputAndGradientsOnCpu(
  f: (...inputs: tf.Tensor[]) => tf.Tensor,
  inputs: tf.Tensor[],
  cotangentSeed?: number,
): Promise<{ output: Float32Array; gradients: Float32Array[] }> {
  const home = tf.getBackend();
  const values = await Promise.all(inputs.map((x) => x.data()));
  await tf.setBackend('cpu');
  try {
    const copies = inputs.map((x, i) => tf.tensor(values[i]!, x.shape, x.dtype));
    const { output, gradients } = outputAndGradients(f, copies, cotangentSeed);
    const [y, ...dxs] = await Promise.all([output, ...gradients].map((t) => t.data()));
    tf.dispose([copies, output, gradients]);
    return { output: y as Float32Array, gradients: dxs as Float32Array[] };
  } finally {
    await tf.setBackend(home);
  }
}

/** `A B` row by row, added in float64. */
export async function productOnCpu(a: tf.Tensor2D, b: tf.Tensor2D): Promise<Float32Array> {
  const [rows, inner] = a.shape;
  const columns = b.shape[1];
  const [x, y] = await Promise.all([a.data(), b.data()]);
  return Float32Array.from({ length: rows * columns }, (_, i) => {
    const [row, column] = [Math.floor(i / columns), i % columns];
    let sum = 0;
    for (let k = 0; k < inner; k++) sum += x[row * inner + k]! * y[k * columns + column]!;
    return sum;
  });
}
