export { describeBackends, describeKernels, describeOn } from './backends.js';
export { chiSquaredP } from './chi-squared.js';
export { expectClose, type Tolerance } from './close.js';
export { outputAndGradientsOnCpu, productOnCpu } from './cpu.js';
export { countsOf, dispatchesOf, movesOf, type Recorded, recordedBy } from './dispatches.js';
export { cases, fullOnly, inBrowser } from './full.js';
export { checkGradients, gaussian, outputAndGradients } from './gradients.js';
export {
  expectNoLeak,
  gpuBytes,
  peakOfBuffers,
  poisonMemory,
  withOwnPool,
  withPoisonedBuffers,
} from './memory.js';
export { type Reads, readsOf } from './reads.js';
export type { Contestants, Run, Workload } from './workload.js';
