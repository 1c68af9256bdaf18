export { SafetensorsReader } from './node/reader.js';
export { openSafetensors, ShardedReader, type TensorReader } from './node/sharded.js';
export { writeSafetensorsFile } from './node/write-file.js';
