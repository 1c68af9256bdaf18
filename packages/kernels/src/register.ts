import { registerGatedLinear } from './gated-linear/index.js';
import { registerLayerNorm } from './layer-norm/index.js';
import { registerLinear } from './linear/index.js';
import { registerPackedLinear } from './packed-linear/index.js';
import { registerRmsNorm } from './rms-norm/index.js';
import { registerRotary } from './rotary/index.js';

/**
 * Makes every operation of this package use its WebGPU kernels; call it once, after the backend was
 * started. Without it, and on other backends, the same operations run on plain TensorFlow.js.
 */
export function registerKernels(): void {
  registerGatedLinear();
  registerLayerNorm();
  registerLinear();
  registerPackedLinear();
  registerRmsNorm();
  registerRotary();
}
