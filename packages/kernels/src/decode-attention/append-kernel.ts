import type * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { type HeadsPlace, headsShape, stridesOf } from '../attention/heads.js';
import { rowStart, strideFields, strideValues } from '../attention/strides.js';
import { dispatch } from '../dispatch/dispatch.js';
import { elementWorkgroups, perElement } from '../dispatch/per-element.js';
import { defineProgram, type ElementType, variants } from '../dispatch/program.js';
import { loadTurned, tableParams } from '../rotary/load.js';
import type { RotaryLayout } from '../rotary/tables.js';

/** What tokens come with, and how they are kept. */
interface Variant {
  /** Whether each sequence has a place of its own. */
  placed: boolean;
  /** Whether two values are kept in a word, as halves. */
  halves: boolean;
  /** How keys are turned before they are kept, if they are. */
  layout: RotaryLayout | undefined;
}

/** WGSL of what is kept of a row: a value, or two in a word, the last of an odd width alone. */
const stored = (x: string, halves: boolean) => {
  const at = (column: string) => `${x}_at(${x}Row, ${column}, angles)`;
  if (!halves) return at('column');
  const second = `select(0.0, ${at('min(column + 1u, params.width - 1u)')}, column + 1u < params.width)`;
  return `pack2x16float(clamp(vec2f(${at('column')}, ${second}), vec2f(-65504.0), vec2f(65504.0)))`;
};

const appendProgram = variants(
  ({ placed, halves, layout }: Variant) => `${placed}/${halves}/${layout}`,
  ({ placed, halves, layout }) =>
    defineProgram({
      label: 'headwise/AppendKeysValues',
      inputs: {
        k: 'f32',
        v: 'f32',
        ...(placed ? { places: 'i32' } : {}),
        ...(layout ? { cos: 'f32', sin: 'f32' } : {}),
      } as Record<'k' | 'v', ElementType>,
      outputs: halves ? { cacheK: 'u32', cacheV: 'u32' } : { cacheK: 'f32', cacheV: 'f32' },
      params: {
        size: 'u32',
        tokens: 'u32',
        heads: 'u32',
        width: 'u32',
        stored: 'u32',
        capacity: 'u32',
        position: 'u32',
        sinks: 'u32',
        ring: 'u32',
        pairs: 'u32',
        tableStride: 'u32',
        ...strideFields('k'),
        ...strideFields('v'),
      },
      wgsl: /* wgsl */ `
      // The token after the last new one, and how many of those given are new.
      fn placed(sequence: u32) -> vec2u {
        ${
          placed
            ? 'return vec2u(u32(places[2u * sequence]), u32(places[2u * sequence + 1u]));'
            : 'return vec2u(params.position + params.tokens, params.tokens);'
        }
      }

      ${loadTurned('k', layout)}
      ${loadTurned('v', undefined)}

      ${perElement(/* wgsl */ `
        let row = i / params.stored;
        let head = row / params.tokens;
        let t = row % params.tokens;
        let end = placed(head / params.heads);
        let token = end.x - end.y + t;
        let late = token >= params.sinks;
        // Of tokens that share a place, the last stays.
        if (t >= end.y || (late && token + params.ring < end.x)) { return; }
        let slot = select(token, params.sinks + (token - params.sinks) % params.ring, late);
        let column = i % params.stored${halves ? ' * 2u' : ''};
        let sequence = head / params.heads;
        let kRow = ${rowStart('k', 'sequence', 'head % params.heads', 't')};
        let vRow = ${rowStart('v', 'sequence', 'head % params.heads', 't')};
        let angles = (sequence * params.tableStride + t) * params.pairs;
        let to = (head * params.capacity + slot) * params.stored + i % params.stored;
        cacheK[to] = ${stored('k', halves)};
        cacheV[to] = ${stored('v', halves)};`)}
    `,
    }),
);

interface KernelArguments {
  inputs: Record<'k' | 'v' | 'cacheK' | 'cacheV', tf.TensorInfo> & {
    /** int32, `[B, 2]`: the tokens of each sequence, and how many of them are new. */
    places?: tf.TensorInfo | undefined;
    /** `[T, R/2]` or `[B, T, R/2]`, where keys are to be turned. */
    cos?: tf.TensorInfo | undefined;
    sin?: tf.TensorInfo | undefined;
  };
  backend: WebGPUBackend;
  attrs: {
    /** The first new token, where there are no places. */
    position: number;
    /** The first tokens, which keep their places; the later ones take turns in `ring`. */
    sinks: number;
    ring: number;
    /** With `cos` and `sin`. */
    layout?: RotaryLayout | undefined;
    /** Which heads of `k` and of `v` are meant. */
    heads: Record<'k' | 'v', HeadsPlace>;
  };
}

/** Writes new rows to their places, keys turned where tables are given. */
export function appendKernel({ inputs, backend, attrs }: KernelArguments): tf.TensorInfo[] {
  const { cacheK, cacheV, ...read } = inputs;
  const { layout, heads: of, ...numbers } = attrs;
  const [batch, heads, tokens, width] = headsShape(read.k.shape, of.k);
  const halves = cacheK.dtype === 'int32';
  const stored = cacheK.shape[3]!;
  const size = batch * heads * tokens * stored;
  if (size === 0) return [];
  dispatch(backend, appendProgram({ placed: read.places !== undefined, halves, layout }), {
    inputs: read,
    outputs: { cacheK, cacheV },
    params: {
      size,
      tokens,
      heads,
      width,
      stored,
      capacity: cacheK.shape[2]!,
      ...numbers,
      ...tableParams(read.cos, tokens),
      ...strideValues('k', stridesOf(read.k.shape, of.k)),
      ...strideValues('v', stridesOf(read.v.shape, of.v)),
    },
    workgroups: elementWorkgroups(size),
  });
  return [];
}
