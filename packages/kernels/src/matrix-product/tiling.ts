import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { subgroupLanes } from '../dispatch/row-group.js';
import { type Lines, readingOf } from './by-steps.js';
import { dotRowTiling, fewRows, shuffleRowTiling, sliceRowTiling } from './few-rows.js';
import type { ProductForm, Tiling } from './form.js';
import { type MatrixUnits, matrixUnitTiling } from './matrix-units.js';
import { outerTiling } from './outer.js';
import { registerTiling } from './registers.js';
import { sharedTiling } from './shared.js';
import { shuffleTiling } from './shuffle.js';

/** The lanes of the subgroup whose shuffles are one instruction of a CPU. */
const shuffleLanes = 8;
/** The widest subgroup that is a CPU's vector register, rather than a GPU's. */
const vectorLanes = 16;
/** Lanes that share one dot product on a GPU. */
const gpuLanes = 64;

const matrixUnits = new WeakMap<GPUDevice, MatrixUnits>();

/** Has a device's products of many rows computed by matrix units that were shown to multiply right, or by none. */
export function useMatrixUnits(device: GPUDevice, units: MatrixUnits | undefined): void {
  if (units) matrixUnits.set(device, units);
  else matrixUnits.delete(device);
}

/**
 * The tiling for a device and a size, by what the device offers; this folder's README has the measurements.
 *
 * @param rows of C
 * @param contiguous the axis of B whose neighbours lie side by side in memory
 * @param operands both operands, where the caller reads them as a tiling needs it
 */
export function tilingFor(
  backend: WebGPUBackend,
  form: ProductForm,
  rows: number,
  contiguous: 'inner' | 'columns',
  operands?: readonly [a: Lines, b: Lines] | undefined,
): Tiling {
  const lanes = subgroupLanes(backend);
  const ofVectors = lanes !== undefined && lanes <= vectorLanes;
  if (rows <= fewRows && !form.columnSums && !form.batched) {
    if (contiguous === 'inner') {
      if (lanes === shuffleLanes && form.wide) {
        return shuffleRowTiling(lanes, rows, { ...form, pack: 4, wide: false });
      }
      // A CPU needs few workgroups.
      return ofVectors
        ? dotRowTiling(lanes, rows, { ...form, blocks: 16 })
        : dotRowTiling(gpuLanes, rows, form);
    }
    return lanes === shuffleLanes
      ? shuffleRowTiling(lanes, rows, form)
      : sliceRowTiling(rows, { ...form, wide: false });
  }
  const units = matrixUnits.get(backend.device);
  if (units && form.value === 'f32' && !form.batched) return matrixUnitTiling(units, form);
  if (lanes === shuffleLanes) {
    const along = operands && readingOf(...operands);
    return along ? outerTiling(lanes, form, along) : shuffleTiling(lanes, form);
  }
  return ofVectors ? registerTiling(form) : sharedTiling(form);
}
