import { hasKernel, registerWebGPUKernel } from '../dispatch/register.js';
import { FlatState } from './flat.js';
import { registerMuon } from './muon/index.js';
import { PlainState } from './plain.js';
import type { Rule } from './rule.js';
import { checkParameters, type OptimizerParameter, type OptimizerState } from './state.js';
import { optimizeKernel } from './webgpu.js';

/**
 * The state of a rule over some parameters, all 0; on WebGPU a step is one dispatch up to a million values and at
 * most eight up to 134 million, whatever the number of tensors.
 *
 * @throws InputError unless every parameter is float32 and has a value
 */
export function optimizerState(
  rule: Rule,
  parameters: readonly OptimizerParameter[],
): OptimizerState {
  checkParameters(rule.name, parameters);
  const Made = hasKernel('headwise/Optimize') && parameters.length > 0 ? FlatState : PlainState;
  return new Made(rule, parameters);
}

/** Makes optimizers use their WebGPU kernels, in states made from now on. */
export function registerOptimizers(): void {
  registerWebGPUKernel('headwise/Optimize', optimizeKernel);
  registerMuon();
}
