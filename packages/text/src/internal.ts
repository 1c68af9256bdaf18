// For other packages of Headwise; may change in any version.
export { settingsOf } from './generate-text.js';
export { type DecodedPiece, TextDecoding } from './text-decoding.js';
