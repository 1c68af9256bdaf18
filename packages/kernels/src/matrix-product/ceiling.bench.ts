import { gaussian, type Workload } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { dispatch, finish } from '../dispatch/dispatch.js';
import { defineProgram, type Program, variants } from '../dispatch/program.js';
import { product } from '../linear/product.js';

const lanes = 64;
/** Enough workgroups for every core of a GPU. */
const groups = 256;
/** Times that the body of the loop is written out: a short loop counts more than it computes. */
const unrolled = 8;

/** Multiplications and additions of registers alone, in as many independent sums. */
const loopProgram: (sums: number) => Program<'seed', 'y', 'turns'> = variants(String, (sums) =>
  defineProgram({
    label: 'headwise/Ceiling',
    inputs: { seed: 'f32' },
    outputs: { y: 'f32' },
    // The number of turns is a parameter: some drivers unroll a loop with a constant end.
    params: { turns: 'u32' },
    wgsl: /* wgsl */ `
      @compute @workgroup_size(${lanes})
      fn main(@builtin(global_invocation_id) id: vec3u) {
        let x = seed[0];
        let z = seed[1];
        ${each(sums, (n) => `var s${n} = x + ${n}.0;`)}
        for (var i = 0u; i < params.turns; i++) {
          ${each(unrolled, () => each(sums, (n) => `s${n} = fma(s${n}, x, z);`))}
        }
        y[id.x] = ${Array.from({ length: sums }, (_, n) => `s${n}`).join(' + ')};
      }
    `,
  }),
);

function each(count: number, text: (n: number) => string): string {
  return Array.from({ length: count }, (_, n) => text(n)).join('\n');
}

/** Runs about as many operations as asked for, two for each multiplication with an addition. */
function runLoop(sums: number, seed: tf.Tensor, operations: number): tf.Tensor {
  const turns = Math.max(1, Math.round(operations / (2 * lanes * groups * sums * unrolled)));
  const { y } = dispatch(tf.backend() as WebGPUBackend, loopProgram(sums), {
    inputs: { seed },
    outputs: { y: { shape: [lanes * groups], dtype: 'float32' } },
    params: { turns },
    workgroups: [groups],
  });
  return tf.engine().makeTensorFromTensorInfo(y);
}

/** The number of independent sums that is fastest here, with its operations in a second. */
async function fastestLoop(seed: tf.Tensor): Promise<{ sums: number; perSecond: number }> {
  const operations = 2 ** 30;
  const tried = [];
  for (const sums of [4, 8, 12]) {
    const times = [];
    for (let round = 0; round < 4; round++) {
      const begun = performance.now();
      const y = runLoop(sums, seed, operations);
      await finish(tf.backend() as WebGPUBackend);
      times.push(performance.now() - begun);
      y.dispose();
    }
    tried.push({ sums, perSecond: operations / (Math.min(...times) / 1000) });
  }
  return tried.reduce((best, one) => (one.perSecond > best.perSecond ? one : best));
}

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
      // Sums stay between 0 and 1: no denormals, no infinities.
      const seed = tf.tensor1d([0.5, 0.25]);
      const { sums, perSecond } = await fastestLoop(seed);
      console.log(`  ceiling: ${(perSecond / 1e9).toFixed(1)} GFLOP/s in ${sums} sums a lane`);
      return {
        ours: () => product(a, b, transposeA, transposeB),
        peers: { ceiling: () => runLoop(sums, seed, 2 * rows * inner * columns) },
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
