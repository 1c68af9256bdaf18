import { GgufError } from '../errors.js';

const value = new Float32Array(1);
const bits = new Uint32Array(value.buffer);

/** The bits of a float32. */
export function floatBits(float: number): number {
  value[0] = float;
  return bits[0]!;
}

/** A scale is beyond the range of float16. */
export class GgufHalfError extends GgufError {
  constructor(scale: number) {
    super(`the scale of a block is ${scale}; float16 holds at most 65504`);
  }
}
