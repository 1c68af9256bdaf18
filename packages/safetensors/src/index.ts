export { DTYPES, type Dtype, isDtype, type TensorData } from './dtypes.js';
export { SafetensorsError } from './errors.js';
export { toFloat32 } from './float.js';
export {
  type HeaderSource,
  MAX_HEADER_BYTES,
  PREFIX_BYTES,
  parseHeader,
  parseHeaderLength,
  type SafetensorsHeader,
  type TensorInfo,
} from './header.js';
export { readSafetensors, type SafetensorsFile, type Tensor } from './read.js';
export {
  type LazyTensorInput,
  type Metadata,
  streamSafetensors,
  type TensorInput,
  writeSafetensors,
} from './write.js';
