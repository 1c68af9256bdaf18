// For other packages of Headwise; may change in any version.

export { startWorker } from '#threads';
export { checkpointed } from './autodiff/checkpoint.js';
export { stopGradient } from './autodiff/stop-gradient.js';
export { mayNeedGradient } from './autodiff/tape.js';
export { valueAndGradients } from './autodiff/value-and-gradients.js';
export { isWanted } from './autodiff/wanted.js';
export { bindingLimit, underBindingLimit } from './backend/binding.js';
export { lossOf } from './backend/device.js';
export {
  type BufferCount,
  onPlannedBackend,
  type PlanningOptions,
  preparePlanning,
} from './backend/planned.js';
export { checkWhenRead, checkWithNextRead } from './backend/read.js';
export { startBackend, wantedThreads } from './backend/start.js';
export { tensorWriter, wordWriter, writesDone } from './backend/tensor-writer.js';
export { isOwnBackend } from './backend/webgpu.js';
export {
  drawKernel,
  drawn,
  drawnValues,
  drawUnits,
  type PhiloxKey,
  type RandomDistribution,
  uniformUnit,
} from './distribution.js';
export { allFinite, allFiniteHalves } from './finite.js';
export type { LinearAdapters } from './layer.js';
export { lengthGroups } from './length-groups.js';
export type { Matrix, MatrixLayout, PackedParam, Packer } from './matrix.js';
export { nextTask } from './next-task.js';
export { paddedRows } from './padded-rows.js';
export { type AdaptableParam, matrixOf, packedBeside } from './params.js';
export { refuse } from './part.js';
export { keyOf, philox, philoxConstants } from './philox.js';
export { hashText } from './random.js';
export { sizeOf } from './shapes.js';
export type { MapPart } from './tap.js';
export { isTapped } from './tapped.js';
export { countWrite } from './writes.js';
export { sharedZeros } from './zeros.js';
