import type { OptimizerParameter } from '../state.js';
import type { NewtonSchulz } from './orthogonal.js';

/** A matrix for Muon. */
export interface MuonParameter extends OptimizerParameter {
  /** How it lies: `[out, in]`, or `[in, out]`. */
  layout: 'out-in' | 'in-out';
  /** The widths of the maps that lie side by side along the outputs; each is orthogonalised by itself. Default one map. */
  parts?: readonly number[] | undefined;
}

/** How the step of a matrix depends on its shape: by `√max(1, out / in)`, or by `0.2 √max(out, in)`, as large as AdamW's. */
export type MuonAdjustment = 'original' | 'match-rms-adamw';

/** What a step of Muon depends on besides the learning rate. */
export interface MuonNumbers extends NewtonSchulz {
  momentum: number;
  nesterov: boolean;
  adjust: MuonAdjustment;
}

/** The factor of the step of a map. */
export const adjustment = (kind: MuonAdjustment, rows: number, columns: number): number =>
  kind === 'original'
    ? Math.sqrt(Math.max(1, rows / columns))
    : 0.2 * Math.sqrt(Math.max(rows, columns));

/** A matrix that is orthogonalised, within a tensor: element `(i, j)` lies at `start + i · rowStride + j · columnStride`. */
export interface Block {
  start: number;
  /** At most as many as columns: of the outputs or the inputs, whichever are fewer. */
  rows: number;
  columns: number;
  rowStride: number;
  columnStride: number;
  /** The factor of its step. */
  factor: number;
  decay: number;
}

/** The matrices within a parameter. */
export function blocksOf(parameter: MuonParameter, adjust: MuonAdjustment): Block[] {
  const { variable, layout, rate, decay } = parameter;
  const [first, second] = variable.shape as [number, number];
  const outIn = layout === 'out-in';
  const [outputs, inputs] = outIn ? [first, second] : [second, first];
  const [outStride, inStride] = outIn ? [inputs, 1] : [1, outputs];
  let offset = 0;
  return (parameter.parts ?? [outputs]).map((width) => {
    const start = offset * outStride;
    offset += width;
    const factor = rate * adjustment(adjust, width, inputs);
    const along = { start, factor, decay: rate * decay };
    return width <= inputs
      ? { ...along, rows: width, columns: inputs, rowStride: outStride, columnStride: inStride }
      : { ...along, rows: inputs, columns: width, rowStride: inStride, columnStride: outStride };
  });
}
