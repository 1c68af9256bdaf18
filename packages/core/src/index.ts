import * as initializers from './initializers.js';

export { HeadwiseError, isHeadwiseError } from '@headwise/errors';
export { currentDevice } from './backend/device.js';
export type { Device } from './backend/device-type.js';
export { GpuError, readTensor } from './backend/read.js';
export {
  type BackendName,
  type BackendOptions,
  type BackendReport,
  backendNames,
  isBackendName,
  type WasmFile,
  wasmFiles,
} from './backend/start.js';
export { checkOneOf, quoted } from './choice.js';
export type { Distribution } from './distribution.js';
export {
  type DecoderHead,
  type Encoded,
  type EncoderContext,
  type EncoderDecoderModel,
  type EncoderModel,
  type FramesSize,
  isEncoder,
  isEncoderDecoder,
  isLanguageModel,
  type Network,
  type PictureSize,
} from './encoder-model.js';
export { BackendError, DeviceLostError, InputError, ShapeError } from './errors.js';
export { checkFinite } from './finite.js';
export type { Initializer } from './initializers.js';
export type { HeadMatrix, LanguageModel, MatrixHead } from './language-model.js';
export type { ForwardContext, Layer } from './layer.js';
export type { Packing } from './matrix.js';
export { memoryLimit } from './memory-limit.js';
export { type ParamSource, ParamStore } from './params.js';
export { checkLayer, checkParams, checkPart } from './part.js';
export { type Precision, precisions } from './precision.js';
export { Random, type RandomState } from './random.js';
export { checkShape } from './shapes.js';
export type { AttentionProbe, Tap } from './tap.js';
export { tapped } from './tapped.js';
export type { RecurrentMemory, TokenCache } from './token-cache.js';
export { initializers };
