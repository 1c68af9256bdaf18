// For other packages of Headwise; may change in any version.
export { embeddedIds } from './embed.js';
export { settingsOf } from './generate-text.js';
export { type DecodedPiece, TextDecoding } from './text-decoding.js';
