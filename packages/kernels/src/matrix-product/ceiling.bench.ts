import { gaussian, type Workload } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { product } from '../linear/product.js';
import { fastestRegisterLoop, registerSeed, runRegisterLoop } from './ceiling.js';

/** A product against as many multiplications and additions in registers: the ratio is its share of the adapter's ceiling. */
function shareOfCeiling(
  [rows, inner, columns]: readonly [number, number, number],
  transposeA: boolean,
  transposeB: boolean,
): Workload {
  const turned = (is: boolean) => (is ? 'T' : 'N');
  return {
    name: `ceiling/${turned(transposeA)}${turned(transposeB)}/${rows}x${inner}x${columns}`,
    backends: ['webgpu'],
    async prepare() {
      const a = gaussian(transposeA ? [inner, rows] : [rows, inner], 1) as tf.Tensor2D;
      const b = gaussian(transposeB ? [columns, inner] : [inner, columns], 2) as tf.Tensor2D;
      const seed = registerSeed();
      const { sums, perSecond } = await fastestRegisterLoop(seed);
      console.log(`  ceiling: ${(perSecond / 1e9).toFixed(1)} GFLOP/s in ${sums} sums a lane`);
      return {
        ours: () => product(a, b, transposeA, transposeB),
        peers: { ceiling: () => runRegisterLoop(sums, seed, 2 * rows * inner * columns) },
        dispose: () => tf.dispose([a, b, seed]),
      };
    },
  };
}

const sizes = [
  [512, 768, 768],
  [1024, 384, 1536],
] as const;
const transpositions = [
  [false, false],
  [false, true],
  [true, false],
  [true, true],
] as const;

export const workloads: Workload[] = sizes.flatMap((size) =>
  transpositions.map(([a, b]) => shareOfCeiling(size, a, b)),
);
