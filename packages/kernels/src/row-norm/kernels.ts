import type * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { columnSums } from '../column-sums/webgpu.js';
import { dispatch, spread } from '../dispatch/dispatch.js';
import { defineProgram, type ElementType, type Program, variants } from '../dispatch/program.js';
import type { Wanted } from '../dispatch/register.js';
import {
  perRow,
  type RowGroup,
  rowGroup,
  rowGroupExtensions,
  rowGroupKey,
  rowSum,
  rowsOf,
} from '../dispatch/row-group.js';
import { addingReads, plainReads } from './reads.js';

/**
 * The WGSL of one norm over rows `[rows, width]`; a group of lanes computes a row.
 *
 * In scope in every text: `params.rows` and `params.width` (`u32`), `row` and `start` (`u32`, the row and its first
 * element), and the buffers `x` `[rows, width]`, `weight` `[width]` and `stats` `[rows, statsPerRow]`, all `f32`. In
 * `forward` and `inputGradient` also `lane` (`u32`) and `row_sum(value: f32, lane: u32) -> f32`.
 */
export interface NormForm {
  /** The kernels' name without the prefix. */
  label: string;
  /** The norm's parameters, `[width]` each. */
  parameters: readonly ('weight' | 'bias')[];
  /** Numbers that the forward stores in `stats` for the backward. */
  statsPerRow: number;
  /**
   * Writes `y` and `stats`. Reads the input by `origin(i)` (the row's first value), `first(i)` once per element, and
   * `value(i)` after that; `params.epsilon` is in scope.
   */
  forward(each: LaneLoop): string;
  /** Calls `write(i, value)`, which adds the sum's own gradient, with `dx`; `dy` `[rows, width]` is in scope. */
  inputGradient(each: LaneLoop): string;
  /** Declares what the terms of `weightGradient` read of a row. */
  rowStats: string;
  /** WGSL (`f32`) of each parameter's gradient at element `start + i`; `d` is `dy[start + i]`. */
  weightGradient: Readonly<Partial<Record<'weight' | 'bias', string>>>;
}

/** WGSL of a loop over the columns `i` that a lane computes. */
export type LaneLoop = (body: string) => string;

/** The WebGPU kernels of a norm: plain, of a sum `x + added`, and their gradient. */
export interface NormKernels {
  /** @returns y and stats */
  norm(given: NormArguments): tf.TensorInfo[];
  /** @returns y, the sum, and stats */
  addNorm(given: NormArguments): tf.TensorInfo[];
  /** @returns y, x itself, and stats */
  besideNorm(given: NormArguments): tf.TensorInfo[];
  /** @returns the gradients that are wanted */
  gradient(given: GradientArguments): tf.TensorInfo[];
}

interface NormArguments {
  inputs: Record<'x' | 'weight', tf.TensorInfo> & Partial<Record<'bias' | 'added', tf.TensorInfo>>;
  backend: WebGPUBackend;
  attrs: { epsilon: number };
}

interface GradientArguments {
  /** `dSum`: the gradient that reaches the sum directly, past the norm. */
  inputs: Record<'dy' | 'x' | 'weight' | 'stats', tf.TensorInfo> &
    Partial<Record<'dSum', tf.TensorInfo>>;
  backend: WebGPUBackend;
  attrs: Wanted<'x' | 'weight' | 'bias'>;
}

/** Makes the kernels of a norm from its formulas. */
export function normKernels(form: NormForm): NormKernels {
  const { label, parameters, statsPerRow } = form;
  const floats = <N extends string>(names: readonly N[]) =>
    Object.fromEntries(names.map((name) => [name, 'f32'])) as Record<N, ElementType>;
  const rowProgram = (
    name: string,
    inputs: readonly string[],
    outputs: readonly string[],
    more: { epsilon?: 'f32' },
    functions: string,
    body: (each: LaneLoop) => string,
  ) =>
    variants(
      rowGroupKey,
      (group: RowGroup): Program<string, string> =>
        defineProgram<string, string, string>({
          label: `headwise/${name}`,
          enable: rowGroupExtensions(group),
          inputs: floats(inputs),
          outputs: floats(outputs),
          params: { rows: 'u32', width: 'u32', ...more },
          wgsl: /* wgsl */ `
          ${rowSum(group)}
          ${functions}
          ${perRow(
            group.lanes,
            'params.rows',
            /* wgsl */ `
            let start = row * params.width;
            ${body((text) => `for (var i = lane; i < params.width; i += ${group.lanes}u) { ${text} }`)}
          `,
          )}
        `,
        }),
    );
  const forwardProgram = (name: string, input: string[], output: string[], reads: string) =>
    rowProgram(
      name,
      [...input, ...parameters],
      [...output, 'stats'],
      { epsilon: 'f32' },
      reads,
      form.forward,
    );
  const backward = ['dy', 'x', 'weight', 'stats'];
  const gradientProgram = (name: string, inputs: string[], gradient: string) =>
    rowProgram(
      `${name}InputGradient`,
      inputs,
      ['dx'],
      {},
      `fn write(i: u32, own: f32) { dx[i] = ${gradient}; }`,
      form.inputGradient,
    );
  const plain = forwardProgram(label, ['x'], ['y'], plainReads);
  const adding = forwardProgram(`Add${label}`, ['x', 'added'], ['y', 'sum'], addingReads);
  const inputGradient = gradientProgram(label, backward, 'own');
  const addInputGradient = gradientProgram(`Add${label}`, [...backward, 'dSum'], 'own + dSum[i]');
  const weightGradient = weightGradientProgram(form);

  const run = ({ inputs, backend, attrs }: NormArguments, names: ('y' | 'sum')[]) => {
    const { shape } = inputs.x;
    const { rows, width } = rowsOf(shape);
    const outputs = {
      ...Object.fromEntries(names.map((name) => [name, { shape, dtype: 'float32' as const }])),
      stats: { shape: [rows, statsPerRow], dtype: 'float32' as const },
    };
    const program = (names.includes('sum') ? adding : plain)(rowGroup(backend));
    const made = dispatch(backend, program, {
      inputs: { ...inputs },
      outputs,
      params: { rows, width, epsilon: attrs.epsilon },
      workgroups: spread(rows),
    });
    return [...names, 'stats'].map((name) => made[name]!);
  };
  return {
    norm: (given) => run(given, ['y']),
    addNorm: (given) => run(given, ['y', 'sum']),
    besideNorm: (given) => {
      const [y, stats] = run(given, ['y']);
      const { x } = given.inputs;
      given.backend.incRef(x.dataId);
      return [y!, { ...x }, stats!];
    },
    gradient: ({ inputs, backend, attrs: { wanted } }) => {
      const { dy, x, stats } = inputs;
      const { rows, width } = rowsOf(x.shape);
      const made: Record<string, tf.TensorInfo> = {};
      if (wanted.includes('x')) {
        const program = (inputs.dSum ? addInputGradient : inputGradient)(rowGroup(backend));
        const { dx } = dispatch(backend, program, {
          inputs: { ...inputs },
          outputs: { dx: { shape: x.shape, dtype: 'float32' } },
          params: { rows, width },
          workgroups: spread(rows),
        });
        made.x = dx!;
      }
      if (parameters.some((name) => wanted.includes(name))) {
        const sums = columnSums(backend, rows, width, (slabs, rowsPerSlab) => {
          const shape = [slabs, width];
          const partial = dispatch(backend, weightGradient, {
            inputs: { dy, x, stats },
            outputs: Object.fromEntries(
              parameters.map((p) => [`d_${p}`, { shape, dtype: 'float32' }]),
            ),
            params: { rows, width, rowsPerSlab },
            workgroups: [Math.ceil(width / columnsOfGroup), slabs],
          });
          return parameters.map((p) => partial[`d_${p}`]!);
        });
        for (const [i, name] of parameters.entries()) {
          if (wanted.includes(name)) made[name] = sums[i]!;
          else backend.disposeData(sums[i]!.dataId);
        }
      }
      return wanted.map((name) => made[name]!);
    },
  };
}

/** Columns of a workgroup of the weight gradient, and lanes that share the rows of a column. */
const [columnsOfGroup, lanesOfColumn] = [8, 8];

/**
 * Sums of the parameters' gradients over slabs of rows; most tensors are a single slab: a column's lanes take every eighth row, and their
 * sums are added up in a fixed order.
 */
function weightGradientProgram(form: NormForm): Program<string, string> {
  const { label, parameters, rowStats } = form;
  const each = (text: (name: 'weight' | 'bias') => string) => parameters.map(text).join('\n');
  const lanes = columnsOfGroup * lanesOfColumn;
  return defineProgram<string, string, string>({
    label: `headwise/${label}WeightGradient`,
    inputs: { dy: 'f32', x: 'f32', stats: 'f32' },
    outputs: Object.fromEntries(parameters.map((p) => [`d_${p}`, 'f32' as const])),
    params: { rows: 'u32', width: 'u32', rowsPerSlab: 'u32' },
    wgsl: /* wgsl */ `
      ${each((p) => `var<workgroup> of_${p}: array<f32, ${lanes}>;`)}
      @compute @workgroup_size(${lanes})
      fn main(
        @builtin(workgroup_id) workgroup: vec3u,
        @builtin(local_invocation_index) lane: u32,
      ) {
        let column = workgroup.x * ${columnsOfGroup}u + lane % ${columnsOfGroup}u;
        let i = min(column, params.width - 1u);
        let slab = workgroup.y;
        let end = min((slab + 1u) * params.rowsPerSlab, params.rows);
        ${each((p) => `var sum_${p} = 0.0;`)}
        for (var row = slab * params.rowsPerSlab + lane / ${columnsOfGroup}u; row < end; row += ${lanesOfColumn}u) {
          let start = row * params.width;
          ${rowStats}
          let d = dy[start + i];
          ${each((p) => `sum_${p} += ${form.weightGradient[p]};`)}
        }
        ${each((p) => `of_${p}[lane] = sum_${p};`)}
        workgroupBarrier();
        if (lane >= ${columnsOfGroup}u || column >= params.width) { return; }
        ${each(
          (p) => /* wgsl */ `
            var total_${p} = 0.0;
            for (var n = lane; n < ${lanes}u; n += ${columnsOfGroup}u) { total_${p} += of_${p}[n]; }
            d_${p}[slab * params.width + column] = total_${p};`,
        )}
      }
    `,
  });
}
