import { hasKernel, registerWebGPUKernel } from '../../dispatch/register.js';
import { checkParameters, type OptimizerState } from '../state.js';
import type { MuonNumbers, MuonParameter } from './blocks.js';
import { FlatMuon } from './flat.js';
import { PlainMuon } from './plain.js';
import { orthogonalizeKernel } from './webgpu.js';

/**
 * The state of Muon over matrices; on WebGPU all matrices of one shape are orthogonalised by the same dispatches.
 *
 * `m ← μ m + (1 − μ) g`, `u = (1 − μ) g + μ m` with Nesterov's momentum, else `u = m`;
 * `p ← (1 − η λ) p − η f O(u)`, where `O` is {@link orthogonalised} and `f` the factor of the shape.
 *
 * @throws InputError unless every parameter is float32 and has a value
 * @see Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/
 */
export function muonState(
  numbers: MuonNumbers,
  parameters: readonly MuonParameter[],
): OptimizerState {
  checkParameters('Muon', parameters);
  const fused = hasKernel('headwise/Orthogonalize') && parameters.length > 0;
  return fused ? new FlatMuon(numbers, parameters) : new PlainMuon(numbers, parameters);
}

/** Makes Muon use its WebGPU kernels, in states made from now on. */
export function registerMuon(): void {
  registerWebGPUKernel('headwise/Orthogonalize', orthogonalizeKernel);
}
