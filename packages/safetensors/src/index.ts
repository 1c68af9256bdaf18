export { asBytes, type ByteSource, type Bytes, blobBytes, endsEarly } from './bytes.js';
export { DTYPES, type Dtype, isDtype, type TensorData } from './dtypes.js';
export type { TensorInfo } from './entries.js';
export { SafetensorsError } from './errors.js';
export { toFloat32 } from './float.js';
export {
  type HeaderSource,
  MAX_HEADER_BYTES,
  PREFIX_BYTES,
  parseHeader,
  parseHeaderLength,
  type SafetensorsHeader,
} from './header.js';
export type { LazyTensorInput, Metadata, TensorInput } from './layout.js';
export { fromFloat32 } from './narrow.js';
export { readSafetensors, type SafetensorsFile, type Tensor, viewTensor } from './read.js';
export { SafetensorsReader, type TensorReader } from './reader.js';
export { ShardedReader } from './sharded.js';
export { streamSafetensors, writeSafetensors } from './write.js';
