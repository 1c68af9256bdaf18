import { attentionGradient } from '../attention/gradient.js';
import {
  attentionGradientWasmKernel,
  attentionTableGradientWasmKernel,
  attentionWasmKernel,
} from '../attention/wasm.js';
import { registerGradient, registerWasmKernel } from '../dispatch/register.js';
import { feedForwardGradient } from '../feed-forward/gradient.js';
import { feedForwardGradientWasmKernel, feedForwardWasmKernel } from '../feed-forward/wasm.js';
import { linearGradient } from '../linear/gradient.js';
import {
  linearGradientWasmKernel,
  linearWasmKernel,
  matrixProductWasmKernel,
} from '../linear/wasm.js';
import { hasKernelInstructions } from './module.js';

/**
 * Registers the kernels for the wasm backend, where the engine has their instructions; calling it again changes nothing.
 *
 * The first kernel that runs compiles them.
 *
 * @returns whether there are any
 */
export function registerWasmKernels(): boolean {
  if (!hasKernelInstructions()) return false;
  registerWasmKernel('headwise/MatrixProduct', matrixProductWasmKernel);
  registerWasmKernel('headwise/Linear', linearWasmKernel);
  registerWasmKernel('headwise/LinearGradient', linearGradientWasmKernel);
  registerWasmKernel('headwise/FeedForward', feedForwardWasmKernel);
  registerWasmKernel('headwise/FeedForwardGradient', feedForwardGradientWasmKernel);
  registerWasmKernel('headwise/Attention', attentionWasmKernel);
  registerWasmKernel('headwise/AttentionGradient', attentionGradientWasmKernel);
  registerWasmKernel('headwise/AttentionTableGradient', attentionTableGradientWasmKernel);
  for (const gradient of [linearGradient, feedForwardGradient, attentionGradient])
    registerGradient(gradient);
  return true;
}
