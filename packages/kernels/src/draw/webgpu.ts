import {
  drawUnits,
  type PhiloxKey,
  type RandomDistribution,
  sizeOf,
  uniformUnit,
} from '@headwise/core/internal';
import type * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { dispatch, spread } from '../dispatch/dispatch.js';
import { defineProgram, variants } from '../dispatch/program.js';
import { philoxWgsl } from '../philox/philox.js';

/** WGSL of `values_of(words)`: four uniform numbers. */
const uniformWgsl = /* wgsl */ `
  fn values_of(words: vec4u) -> vec4f {
    return vec4f(vec4i(words >> vec4u(8u)) - ${drawUnits.uniform / 2}) * params.scale;
  }
`;

/**
 * WGSL of `values_of(words)`: four normal numbers.
 *
 * The logarithm, sine and cosine are polynomials of Cephes (logf, sinf, cosf): WGSL promises an absolute error only, of
 * 2⁻²¹ near 1 and of 2⁻¹¹.
 */
const normalWgsl = /* wgsl */ `
  // −ln(n / 2²⁴) for the whole numbers 1 ≤ n ≤ 2²⁴
  fn minus_log(n: vec2u) -> vec2f {
    let bits = bitcast<vec2u>(vec2f(n));
    // n = m 2^e with √½ ≤ m < √2, so that no digits cancel near n = 2²⁴.
    let e = (bits - 0x3f3504f3u) >> vec2u(23u);
    let x = bitcast<vec2f>(bits - (e << vec2u(23u))) - 1.0;
    let power = vec2f(vec2i(e) - 24);
    let z = x * x;
    var y = 7.0376836292e-2 * x - 1.1514610310e-1;
    y = y * x + 1.1676998740e-1;
    y = y * x - 1.2420140846e-1;
    y = y * x + 1.4249322787e-1;
    y = y * x - 1.6668057665e-1;
    y = y * x + 2.0000714765e-1;
    y = y * x - 2.4999993993e-1;
    y = y * x + 3.3333331174e-1;
    y = y * x * z - 2.12194440e-4 * power - 0.5 * z;
    return -(x + y + 0.693359375 * power);
  }
  fn values_of(words: vec4u) -> vec4f {
    let m = words >> vec4u(8u);
    let radius = params.scale * sqrt(max(2.0 * minus_log(m.xz + 1u), vec2f()));
    let quarter = (m.yw + ${drawUnits.quarter / 2}u) / ${drawUnits.quarter}u;
    let a = vec2f(vec2i(m.yw) - vec2i(quarter * ${drawUnits.quarter}u)) * ${Math.PI / 2 / drawUnits.quarter};
    let z = a * a;
    let sine = radius * (a + a * z * ((-1.9515295891e-4 * z + 8.3321608736e-3) * z - 1.6666654611e-1));
    let cosine = radius * (1.0 - 0.5 * z
      + z * z * ((2.443315711809948e-5 * z - 1.388731625493765e-3) * z + 4.166664568298827e-2));
    let odd = (quarter & vec2u(1u)) == vec2u(1u);
    let sign = vec2f(1.0) - vec2f(quarter & vec2u(2u));
    let x = sign * select(cosine, -sine, odd);
    let y = sign * select(sine, cosine, odd);
    return vec4f(x.x, y.x, x.y, y.y);
  }
`;

/** Each lane has the four values of one counter. */
const program = variants(
  (kind: RandomDistribution['kind']) => kind,
  (kind) =>
    defineProgram({
      label: 'headwise/Draw',
      inputs: {},
      outputs: { values: 'f32' },
      params: { size: 'u32', key0: 'u32', key1: 'u32', scale: 'f32' },
      wgsl: /* wgsl */ `
        ${philoxWgsl}
        ${kind === 'normal' ? normalWgsl : uniformWgsl}
        @compute @workgroup_size(64)
        fn main(
          @builtin(workgroup_id) workgroup: vec3u,
          @builtin(num_workgroups) count: vec3u,
          @builtin(local_invocation_index) lane: u32,
        ) {
          let counter = (workgroup.y * count.x + workgroup.x) * 64u + lane;
          let drawn = values_of(philox(vec4u(counter, 0, 0, 0), vec2u(params.key0, params.key1)));
          for (var i = 0u; i < 4u; i++) {
            if (counter * 4u + i < params.size) { values[counter * 4u + i] = drawn[i]; }
          }
        }
      `,
    }),
);

interface Arguments {
  backend: WebGPUBackend;
  attrs: { distribution: RandomDistribution; shape: readonly number[]; key: PhiloxKey };
}

/** @returns values of the shape, float32 */
export function drawOnDevice({ backend, attrs }: Arguments): tf.TensorInfo[] {
  const { distribution, shape, key } = attrs;
  const size = sizeOf(shape);
  const { kind } = distribution;
  const { values } = dispatch(backend, program(kind), {
    inputs: {},
    outputs: { values: { shape: [...shape], dtype: 'float32' } },
    params: {
      size,
      key0: key[0],
      key1: key[1],
      scale: kind === 'normal' ? distribution.std : uniformUnit(distribution.limit),
    },
    workgroups: spread(Math.ceil(size / 256)),
  });
  return [values];
}
