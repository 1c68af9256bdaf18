import { registerAttention } from './attention/index.js';
import { registerAppendKeysValues } from './decode-attention/append.js';
import { registerDecodeAttention } from './decode-attention/index.js';
import { registerLayerNorm } from './layer-norm/index.js';
import { registerRmsNorm } from './rms-norm/index.js';

/**
 * Makes every operation of this package use its WebGPU kernels; call it once, after the backend was
 * started. Without it, and on other backends, the same operations run on plain TensorFlow.js.
 */
export function registerKernels(): void {
  registerAttention();
  registerAppendKeysValues();
  registerDecodeAttention();
  registerLayerNorm();
  registerRmsNorm();
}
