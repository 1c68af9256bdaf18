import { drawKernel } from '@headwise/core/internal';
import { registerWebGPUKernel } from '../dispatch/register.js';
import { drawOnDevice } from './webgpu.js';

/** Makes the parameters of a `ParamStore` drawn on the device, on WebGPU. */
export function registerDraw(): void {
  registerWebGPUKernel(drawKernel, drawOnDevice);
}
