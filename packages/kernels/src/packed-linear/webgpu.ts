import type * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { dispatch } from '../dispatch/dispatch.js';
import { elementWorkgroups, perElement } from '../dispatch/per-element.js';
import { defineProgram, type ElementType, variants } from '../dispatch/program.js';
import { activationWgsl, type LinearActivation } from '../linear/activation.js';
import { linearKernel } from '../linear/webgpu.js';
import { worthCopy } from '../matrix-product/by-steps.js';
import { lines, type Tiling } from '../matrix-product/form.js';
import { tilingFor } from '../matrix-product/tiling.js';
import { bitsOf, formatParts, type PackedFormat } from './pack.js';

/** WGSL of the j-th value of a word, in units of its scale; `j` is code. */
function field(format: PackedFormat, j: number | string, word = 'word'): string {
  if (format === 'f16') return `unpack2x16float(${word})[${j}]`;
  const { bits, minima } = formatParts[format];
  const left =
    typeof j === 'number' ? `${32 - bits - bits * j}u` : `${32 - bits}u - ${bits}u * ${j}`;
  if (format === 'bf16') return `bitcast<f32>((${word} << (${left})) & 0xffff0000u)`;
  return `f32((${minima ? word : `bitcast<i32>(${word})`} << (${left})) >> ${32 - bits}u)`;
}

/** The scales of a weight as an input of a program; none for a format without. */
export const scalesInput = (format: PackedFormat): Record<string, 'f32'> =>
  formatParts[format].scales === 'none' ? {} : { scales: 'f32' };

/** WGSL that finishes a value or a sum of one column: times the scale that an output's values share. */
export const timesOutputScale = (format: PackedFormat): string =>
  formatParts[format].scales === 'output' ? ' * scales[column]' : '';

/** Names in WGSL: of the function, of the buffers that it reads, and of the row length of both. */
interface WordNames {
  name: string;
  words: string;
  scales: string;
  stride: string;
}

const oneWeight: WordNames = {
  name: 'load_b',
  words: 'words',
  scales: 'scales',
  stride: 'params.stride',
};

/** WGSL of `load_b` over `words`: a whole word's values, or those of four neighbours, where the tiling takes them, else one. */
export function loadWords(
  format: PackedFormat,
  { pack, wide }: Pick<Tiling, 'pack' | 'wide'>,
  { name, words, scales, stride }: WordNames = oneWeight,
): string {
  const { bits, scales: shared, minima } = formatParts[format];
  const perWord = 32 / bits;
  const grouped = shared === 'group';
  /** The row of scales of step k. */
  const row = (k: string) => `${k} / params.group * ${minima ? `2u * ${stride}` : stride}`;
  const from = (column: string, minimum = false) =>
    `${scales}[row + ${column}${minimum ? ` + ${stride}` : ''}]`;
  if (pack === 1) {
    const scaled = grouped
      ? ` * ${from('column')}${minima ? ` - ${from('column', true)}` : ''}`
      : '';
    return /* wgsl */ `
      fn ${name}(column: u32, step: u32) -> array<f32, 1> {
        let word = ${words}[step / ${perWord}u * ${stride} + column];
        ${grouped ? `let row = ${row('step')};` : ''}
        return array(${field(format, `(step % ${perWord}u)`)}${scaled});
      }
    `;
  }
  const steps = Array.from({ length: perWord }, (_, j) => j);
  const neighbours = wide ? [0, 1, 2, 3] : [0];
  const word = wide
    ? `${words}[(step * ${stride} + column) / 4u]`
    : `${words}[step * ${stride} + column]`;
  const type = wide ? 'vec4f' : 'f32';
  const all = (code: (n: number) => string) => `${type}(${neighbours.map(code).join(', ')})`;
  const value = (j: number) => all((n) => field(format, j, wide ? `word[${n}]` : 'word'));
  const least = `let least = ${all((n) => from(`column + ${n}u`, true))};`;
  const scaled = grouped ? ` * scale${minima ? ' - least' : ''}` : '';
  return /* wgsl */ `
    fn ${name}(column: u32, step: u32) -> array<${type}, ${perWord}> {
      let word = ${word};
      ${
        grouped
          ? `let row = ${row(`(step * ${perWord}u)`)};
      let scale = ${all((n) => from(`column + ${n}u`))};
      ${minima ? least : ''}`
          : ''
      }
      return array(${steps.map((j) => `${value(j)}${scaled}`).join(', ')});
    }
  `;
}

interface Variant {
  tiling: Tiling;
  format: PackedFormat;
  activation: LinearActivation;
  bias: boolean;
}

type Inputs<T> = Record<'x' | 'words' | 'scales' | 'bias', T>;

const program = variants(
  ({ tiling, format, activation, bias }: Variant) =>
    `${tiling.key}/${format}/${activation}/${bias}`,
  ({ tiling, format, activation, bias }) =>
    defineProgram({
      label: 'headwise/PackedLinear',
      enable: tiling.enable,
      inputs: {
        x: 'f32',
        words: tiling.wide ? 'vec4u' : 'u32',
        ...scalesInput(format),
        ...(bias ? { bias: 'f32' } : {}),
      } as Inputs<ElementType>,
      outputs: { y: 'f32' },
      params: {
        rows: 'u32',
        columns: 'u32',
        stride: 'u32',
        inner: 'u32',
        steps: 'u32',
        group: 'u32',
        aStep: 'u32',
        bStep: 'u32',
      },
      wgsl: /* wgsl */ `
        fn a_start(row: u32) -> u32 { return row * params.inner; }
        // The last word may hold values beyond the inner size: they are 0, whatever they multiply.
        fn load_a(start: u32, k: u32) -> f32 {
          return x[start + min(k, params.inner - 1u)];
        }
        fn b_start(column: u32) -> u32 { return column; }
        ${loadWords(format, tiling)}
        ${activationWgsl[activation]}
        fn store(row: u32, column: u32, sum: f32) {
          let product = sum${timesOutputScale(format)};
          y[row * params.columns + column] = activation(product${bias ? ' + bias[column]' : ''});
        }
        ${tiling.wgsl()}
      `,
    }),
);

/** One lane a value. */
const unpackProgram = variants(
  (format: PackedFormat) => format,
  (format) =>
    defineProgram({
      label: 'headwise/UnpackWeight',
      inputs: { words: 'u32', ...scalesInput(format) } as Record<'words' | 'scales', 'u32' | 'f32'>,
      outputs: { weight: 'f32' },
      params: { size: 'u32', columns: 'u32', stride: 'u32', group: 'u32' },
      wgsl: /* wgsl */ `
        ${loadWords(format, { pack: 1 })}
        ${perElement(/* wgsl */ `
          let column = i % params.columns;
          let value = load_b(column, i / params.columns)[0];
          weight[i] = value${timesOutputScale(format)};`)}
      `,
    }),
);

/** Fours of columns, one a lane, and words of each that a workgroup unpacks. */
const [unpackedFours, unpackedWords] = [64, 8];

/** Four neighbouring words at once, where rows of the weight begin at multiples of four values. */
const unpackFoursProgram = variants(
  (format: PackedFormat) => format,
  (format) => {
    const perWord = 32 / bitsOf(format);
    const scale = (n: number) => `scales[column + ${n}u]`;
    const scaled =
      timesOutputScale(format) && ` * vec4f(${scale(0)}, ${scale(1)}, ${scale(2)}, ${scale(3)})`;
    return defineProgram({
      label: 'headwise/UnpackWeight',
      inputs: { words: 'vec4u', ...scalesInput(format) } as Record<'words' | 'scales', ElementType>,
      outputs: { weight: 'vec4f' },
      params: { inner: 'u32', steps: 'u32', columns: 'u32', stride: 'u32', group: 'u32' },
      wgsl: /* wgsl */ `
        ${loadWords(format, { pack: perWord, wide: true })}
        @compute @workgroup_size(${unpackedFours})
        fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) lane: u32) {
          let column = 4u * (workgroup.x * ${unpackedFours}u + lane);
          if (column >= params.columns) { return; }
          let first = workgroup.y * ${unpackedWords}u;
          let end = min(first + ${unpackedWords}u, params.steps);
          for (var step = first; step < end; step++) {
            let values = load_b(column, step);
            let k = step * ${perWord}u;
            ${lines(perWord, (j) => `if (k + ${j}u < params.inner) { weight[((k + ${j}u) * params.columns + column) / 4u] = values[${j}]${scaled}; }`)}
          }
        }
      `,
    });
  },
);

interface UnpackArguments {
  inputs: { words: tf.TensorInfo; scales?: tf.TensorInfo | undefined };
  backend: WebGPUBackend;
  attrs: { format: PackedFormat; group: number; in: number; out: number };
}

/** @returns the values, `[In, Out]` */
export function unpackWeightKernel({ inputs, backend, attrs }: UnpackArguments): tf.TensorInfo[] {
  const { words, scales } = inputs;
  const { in: inner, out: columns } = attrs;
  const size = inner * columns;
  if (columns % 4 === 0) {
    const steps = Math.ceil(inner / (32 / bitsOf(attrs.format)));
    const fours = dispatch(backend, unpackFoursProgram(attrs.format), {
      inputs: { words, scales: scales! },
      outputs: { weight: { shape: [inner, columns], dtype: 'float32' } },
      params: { inner, steps, columns, stride: words.shape[1]!, group: attrs.group },
      workgroups: [Math.ceil(columns / 4 / unpackedFours), Math.ceil(steps / unpackedWords)],
    });
    return [fours.weight];
  }
  const { weight } = dispatch(backend, unpackProgram(attrs.format), {
    inputs: { words, scales: scales! },
    outputs: { weight: { shape: [inner, columns], dtype: 'float32' } },
    params: { size, columns, stride: words.shape[1]!, group: attrs.group },
    workgroups: elementWorkgroups(size),
  });
  return [weight];
}

interface Arguments {
  inputs: { x: tf.TensorInfo; words: tf.TensorInfo } & Partial<Inputs<tf.TensorInfo>>;
  backend: WebGPUBackend;
  attrs: { format: PackedFormat; group: number; out: number; activation: LinearActivation };
}

/** @returns y, `[N, Out]` */
export function packedLinearKernel({ inputs, backend, attrs }: Arguments): tf.TensorInfo[] {
  const { format, group, out: columns, activation } = attrs;
  const [rows, inner] = inputs.x.shape as [number, number];
  if (worthUnpacking(backend, inputs, columns)) {
    const [weight] = unpackWeightKernel({
      inputs,
      backend,
      attrs: { format, group, in: inner, out: columns },
    });
    const y = linearKernel({
      inputs: { x: inputs.x, weight: weight!, bias: inputs.bias },
      backend,
      attrs: { transposed: false, activation, keep: false },
    });
    backend.disposeData(weight!.dataId);
    return y;
  }
  const pack = 32 / bitsOf(format);
  const form = { value: 'f32', pack, columnSums: false, wide: true } as const;
  const tiling = tilingFor(backend, form, rows, 'columns');
  const bias = inputs.bias !== undefined;
  const { y } = dispatch(backend, program({ tiling, format, activation, bias }), {
    inputs: inputs as Inputs<tf.TensorInfo>,
    outputs: { y: { shape: [rows, columns], dtype: 'float32' } },
    params: {
      rows,
      columns,
      stride: inputs.words.shape[1]!,
      inner,
      steps: Math.ceil(inner / tiling.pack),
      group,
      aStep: 1,
      bStep: columns,
    },
    workgroups: tiling.workgroups(rows, columns),
  });
  return [y];
}

/** Whether a weight is unpacked before the product: where that reads neighbours at once, which lie in one word of a packed weight. */
function worthUnpacking(
  backend: WebGPUBackend,
  { x, words }: Arguments['inputs'],
  columns: number,
): boolean {
  const [count, inner] = x.shape as [number, number];
  const form = { value: 'f32', pack: 1, columnSums: false, wide: true } as const;
  const weight = { tensor: words, count: columns, inner, contiguous: 'lines' } as const;
  if (columns % 4 !== 0 || !worthCopy(weight, count)) return false;
  const operands = [{ tensor: x, count, inner, contiguous: 'inner' }, weight] as const;
  return tilingFor(backend, form, count, 'columns', operands).along !== undefined;
}
