export { fileBytes, openBytes } from './node/file-bytes.js';
export { openSafetensors } from './node/open.js';
export { writeSafetensorsFile } from './node/write-file.js';
