import * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { dispatch, finish } from '../dispatch/dispatch.js';
import { defineProgram, type Program, variants } from '../dispatch/program.js';

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

/** Runs about as many operations as asked for, two for each multiplication with an addition, in so many independent sums a lane. */
export function runRegisterLoop(sums: number, seed: tf.Tensor, operations: number): tf.Tensor {
  const turns = Math.max(1, Math.round(operations / (2 * lanes * groups * sums * unrolled)));
  const { y } = dispatch(tf.backend() as WebGPUBackend, loopProgram(sums), {
    inputs: { seed },
    outputs: { y: { shape: [lanes * groups], dtype: 'float32' } },
    params: { turns },
    workgroups: [groups],
  });
  return tf.engine().makeTensorFromTensorInfo(y);
}

/** Two values whose loop stays between 0 and 1: no denormals, no infinities. */
export const registerSeed = (): tf.Tensor => tf.tensor1d([0.5, 0.25]);

/** The number of independent sums that is fastest here, with its operations in a second: the adapter's ceiling. */
export async function fastestRegisterLoop(
  seed: tf.Tensor,
): Promise<{ sums: number; perSecond: number }> {
  const operations = 2 ** 30;
  const tried = [];
  for (const sums of [4, 8, 12]) {
    const times = [];
    for (let round = 0; round < 4; round++) {
      const begun = performance.now();
      const y = runRegisterLoop(sums, seed, operations);
      await finish(tf.backend() as WebGPUBackend);
      times.push(performance.now() - begun);
      y.dispose();
    }
    tried.push({ sums, perSecond: operations / (Math.min(...times) / 1000) });
  }
  return tried.reduce((best, one) => (one.perSecond > best.perSecond ? one : best));
}
