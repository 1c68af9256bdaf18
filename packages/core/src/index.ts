export { HeadwiseError, isHeadwiseError } from '@headwise/errors';
export { currentDevice, type Device, lossOf } from './backend/device.js';
export { checkWhenRead, checkWithNextRead, GpuError, readTensor } from './backend/read.js';
export {
  type BackendName,
  type BackendOptions,
  type BackendReport,
  backendNames,
  isBackendName,
  type WasmFile,
  wasmFiles,
} from './backend/start.js';
export { type TensorWriter, tensorWriter, writesDone } from './backend/tensor-writer.js';
export { checkOneOf, quoted } from './choice.js';
export {
  type Encoded,
  type EncoderContext,
  type EncoderDecoderModel,
  type EncoderModel,
  isEncoder,
  isEncoderDecoder,
  isLanguageModel,
  type Network,
} from './encoder-model.js';
export { BackendError, DeviceLostError, InputError, ShapeError } from './errors.js';
export { allFinite, checkFinite } from './finite.js';
export {
  constant,
  glorotUniform,
  type Initializer,
  normal,
  ones,
  uniform,
  zeros,
} from './initializers.js';
export type { LanguageModel, MatrixHead } from './language-model.js';
export type { ForwardContext, Layer, LinearAdapters } from './layer.js';
export type { Matrix, MatrixLayout, PackedParam, Packer, Packing } from './matrix.js';
export { memoryLimit } from './memory-limit.js';
export { nextTask } from './next-task.js';
export {
  type AdaptableParam,
  type Deferral,
  type ParamSource,
  ParamStore,
  packedBeside,
  type RankOf,
} from './params.js';
export { checkLayer, checkParams, checkPart, refuse } from './part.js';
export { hashText, Random, type RandomState } from './random.js';
export { checkShape, type Dimension, sizeOf } from './shapes.js';
export { type AttentionProbe, isTapped, type MapPart, type Tap, tapped } from './tap.js';
export type { RecurrentMemory, TokenCache } from './token-cache.js';
