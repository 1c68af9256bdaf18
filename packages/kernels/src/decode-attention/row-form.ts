import { each } from '../attention/text.js';

/** How rows of a cache, `[Dh]`, are read and written in WGSL: some values at once, as float32 or as halves. */
export interface RowForm {
  /** Values of one load. */
  pack: 1 | 2 | 4;
  /** WGSL type of a load. */
  type: 'f32' | 'vec2f' | 'vec4f';
  /** WGSL type of an element of the buffer. */
  stored: 'f32' | 'vec4f' | 'u32' | 'vec2u';
}

/** Four values at once where the width allows it, or one; four halves, or two. */
export const rowForm = (halves: boolean, width: number): RowForm => {
  if (halves) {
    return width % 4 === 0
      ? { pack: 4, type: 'vec4f', stored: 'vec2u' }
      : { pack: 2, type: 'vec2f', stored: 'u32' };
  }
  return width % 4 === 0
    ? { pack: 4, type: 'vec4f', stored: 'vec4f' }
    : { pack: 1, type: 'f32', stored: 'f32' };
};

/** WGSL of the values that lie in element `i` of a buffer. */
export const loaded = ({ stored }: RowForm, buffer: string, i: string): string =>
  ({
    f32: `${buffer}[${i}]`,
    vec4f: `${buffer}[${i}]`,
    u32: `unpack2x16float(${buffer}[${i}])`,
    vec2u: `vec4f(unpack2x16float(${buffer}[${i}].x), unpack2x16float(${buffer}[${i}].y))`,
  })[stored];

const half = (x: string) => `pack2x16float(clamp(${x}, vec2f(-65504.0), vec2f(65504.0)))`;

/** WGSL of the element that keeps some values. */
export const storedAs = ({ stored }: RowForm, x: string): string =>
  ({
    f32: x,
    vec4f: x,
    u32: half(x),
    vec2u: `vec2u(${half(`${x}.xy`)}, ${half(`${x}.zw`)})`,
  })[stored];

/** WGSL of values as the cache will give them back. */
export const kept = ({ stored }: RowForm, x: string): string =>
  ({
    f32: x,
    vec4f: x,
    u32: `unpack2x16float(${half(x)})`,
    vec2u: `vec4f(unpack2x16float(${half(`${x}.xy`)}), unpack2x16float(${half(`${x}.zw`)}))`,
  })[stored];

/** WGSL of the product of two loads. */
export const product = ({ pack }: RowForm, x: string, y: string): string =>
  pack === 1 ? `${x} * ${y}` : `dot(${x}, ${y})`;

/**
 * WGSL of load `c` of a row that `<name>_at(start, channel, angles)` reads a channel of; needs `params.width`. The last load of
 * an odd width in halves holds a value and a zero.
 */
export const rowLoad = (
  { pack, type }: RowForm,
  name: string,
  start: string,
  angles: string,
): string => {
  const channel = (at: string) =>
    pack === 2
      ? `select(0.0, ${name}_at(${start}, min(${at}, params.width - 1u), ${angles}), ${at} < params.width)`
      : `${name}_at(${start}, ${at}, ${angles})`;
  return `${type}(${each(pack, (i) => channel(`c * ${pack}u + ${i}u`), ', ')})`;
};

/** WGSL that writes the values of load `c` to a row of float32 from `to` on; needs `params.width`. */
export const rowStore = ({ pack }: RowForm, buffer: string, x: string): string =>
  each(
    pack,
    (i) =>
      `if (c * ${pack}u + ${i}u < params.width) { ${buffer}[to + c * ${pack}u + ${i}u] = ${pack === 1 ? x : `${x}[${i}]`}; }`,
  );
