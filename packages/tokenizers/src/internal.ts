// For other packages of Headwise; may change in any version.

export { bpeJson, emptyFrame, specialTokenJson } from './formats/frames.js';
export { sentencePieceJson } from './formats/sentencepiece.js';
export type { SentencePieceModel } from './formats/sentencepiece-proto.js';
