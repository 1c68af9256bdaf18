export { SafetensorsReader, type TensorReader } from './node/reader.js';
export { openSafetensors, ShardedReader } from './node/sharded.js';
export { writeSafetensorsFile } from './node/write-file.js';
