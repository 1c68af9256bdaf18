// For other packages of Headwise; may change in any version.
export { embeddedIds, sentenceVectors, written } from './embed.js';
export { settingsOf } from './generate-text.js';
export { writeAll } from './generate-texts.js';
export { generationSettings } from './load.js';
export { rankedPairs } from './rerank.js';
export { sentenceSettings } from './sentence-model.js';
export { type DecodedPiece, TextDecoding } from './text-decoding.js';
