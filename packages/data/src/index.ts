export { type Batch, type ShuffledBatches, sequentialBatches, shuffledBatches } from './batches.js';
export { decodeText } from './decode-text.js';
export { DataError } from './errors.js';
export { packTokenIds, type TokenIds } from './ids.js';
export { type Split, splitCorpus } from './split.js';
export { tokenWindows, type Windows } from './windows.js';
