import type * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { dispatch } from '../dispatch/dispatch.js';
import { defineProgram, variants } from '../dispatch/program.js';
import { storedIn, tensorOf } from '../halves/webgpu.js';
import {
  type Along,
  asFloat,
  elementsOf,
  readsFours,
  type Stored,
  type Tiling,
  widthOfA,
  lines as written,
} from './form.js';

/** An operand of a product: `count` rows of A or columns of B, each of `inner` values. */
export interface Lines {
  tensor: tf.TensorInfo;
  count: number;
  inner: number;
  /** The axis whose neighbours lie side by side in memory. */
  contiguous: 'inner' | 'lines';
}

/** An operand as a program reads it. */
export interface Laid {
  tensor: tf.TensorInfo;
  /** Values between the starts of two neighbouring lines. */
  line: number;
  /** Values between two steps along the inner axis. */
  step: number;
  /** The tensor is a copy, to be disposed of. */
  copied: boolean;
}

/** Whether neighbours along the contiguous axis are read at once: four lines or two steps, from a multiple of that on. */
const readAtOnce = ({ count, inner, contiguous }: Lines): boolean =>
  contiguous === 'lines' ? count % 4 === 0 : inner % 2 === 0;

/** Fours of lines, one a lane, and steps that a workgroup copies. */
const [copiedFours, copiedSteps] = [64, 32];

interface CopyVariant {
  stored: Stored;
  /** Reads four steps of a line at once. */
  fours: boolean;
}

const copyProgram = variants(
  ({ stored, fours }: CopyVariant) => `${stored}/${fours}`,
  ({ stored, fours }) => {
    const vector = elementsOf(stored, 4);
    const rows = [0, 1, 2, 3];
    const at = (line: number, more = '') => `from${line} + step * params.step${more}`;
    // No index is divided: that takes a CPU longer than all else here.
    const body = fours
      ? /* wgsl */ `
        ${written(4, (line) => `let v${line} = values[(${at(line)}) / 4u];`)}
        ${written(4, (s) => `copy[(step + ${s}u) * params.fours + four] = ${vector}(${rows.map((line) => `v${line}[${s}]`).join(', ')});`)}
      `
      : `copy[step * params.fours + four] = ${vector}(${rows.map((line) => `values[${at(line)}]`).join(', ')});`;
    return defineProgram({
      label: 'headwise/BySteps',
      inputs: { values: elementsOf(stored, fours ? 4 : 1) },
      outputs: { copy: vector },
      params: { count: 'u32', inner: 'u32', fours: 'u32', line: 'u32', step: 'u32' },
      wgsl: /* wgsl */ `
        @compute @workgroup_size(${copiedFours})
        fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) lane: u32) {
          let four = workgroup.y * ${copiedFours}u + lane;
          if (four >= params.fours) { return; }
          ${written(4, (line) => `let from${line} = min(4u * four + ${line}u, params.count - 1u) * params.line;`)}
          let first = workgroup.x * ${copiedSteps}u;
          let end = min(first + ${copiedSteps}u, params.inner);
          for (var step = first; step < end; step += ${fours ? 4 : 1}u) { ${body} }
        }
      `,
    });
  },
);

/**
 * An operand as a tiling reads it: as it lies, or, where it lies otherwise, a copy.
 *
 * In a copy lines lie step by step, padded to a multiple of four by the last one.
 *
 * @param along the axis whose neighbours the tiling reads at once; undefined: it reads single values
 */
export function laidFor(
  backend: WebGPUBackend,
  along: 'inner' | 'lines' | undefined,
  lines: Lines,
): Laid {
  const { tensor, count, inner, contiguous } = lines;
  const [line, step] = contiguous === 'inner' ? [inner, 1] : [1, count];
  if (!along || (along === contiguous && readAtOnce(lines))) {
    return { tensor, line, step, copied: false };
  }
  const fours = Math.ceil(count / 4);
  const stored = storedIn(tensor);
  const { copy } = dispatch(
    backend,
    copyProgram({ stored, fours: step === 1 && inner % 4 === 0 }),
    {
      inputs: { values: tensor },
      outputs: { copy: tensorOf(stored, [inner, 4 * fours]) },
      params: { count, inner, fours, line, step },
      workgroups: [Math.ceil(inner / copiedSteps), Math.ceil(fours / copiedFours)],
    },
  );
  return { tensor: copy, line: 1, step: 4 * fours, copied: true };
}

/** Values that a copy may have: beyond, its memory is worth more than its time. */
const mostCopied = 2 ** 24;
/** Lines of the other operand from which on a copy takes little time beside the product. */
const fewestOther = 64;
/** Inner size of A, with as many columns, beyond which a copy takes less time than reading pairs of steps of far apart lines. */
const longestPaired = 512;

/** Whether a copy of an operand takes little beside its product with so many lines. */
export const worthCopy = (
  { count, inner }: Pick<Lines, 'count' | 'inner'>,
  others: number,
): boolean => others >= fewestOther && count * inner <= mostCopied;

/** How `outer` reads both operands; undefined: another tiling is faster. */
export function readingOf(a: Lines, b: Lines): Along | undefined {
  const worth = (own: Lines, other: Lines) => readAtOnce(own) || worthCopy(own, other.count);
  // Of fewer columns half a tile would be empty.
  if (b.count <= 32 || !worth(a, b) || !worth(b, a)) return undefined;
  // Of B a lane reads twice as many pairs.
  const dear = {
    a: a.count >= fewestOther && Math.min(a.inner, b.count) > longestPaired,
    b: a.count * b.inner > longestPaired ** 2,
  };
  const of = (own: Lines, other: Lines, pairsAreDear: boolean) =>
    !readAtOnce(own) || (pairsAreDear && worthCopy(own, other.count)) ? 'lines' : own.contiguous;
  return { a: of(a, b, dear.a), b: of(b, a, dear.b) };
}

/** WGSL of `load_a`, reading `params.aStep`: one value, or as many neighbours as the tiling reads at once. */
export function loadRows(name: string, tiling: Pick<Tiling, 'along'>, stored: Stored): string {
  const i = 'start + k * params.aStep';
  const width = widthOfA(tiling);
  return /* wgsl */ `
    fn load_a(start: u32, k: u32) -> ${elementsOf('f32', width)} {
      return ${asFloat(`${name}[${width === 1 ? i : `(${i}) / ${width}u`}]`, stored, width)};
    }
  `;
}

/** The distance of two steps of `load_b`, which where B's columns are contiguous may be four values. */
export const stepOfB = (tiling: Tiling, { step }: Laid): number =>
  step === 1 && readsFours(tiling) && !tiling.along ? 4 : step;

/** Disposes of the operands that are copies. */
export function disposeCopies(backend: WebGPUBackend, ...laid: readonly Laid[]): void {
  for (const { tensor, copied } of laid) if (copied) backend.disposeData(tensor.dataId);
}
