import type { Document, JsonValue } from '../documents/document.js';

/** A document as a line of JSON, with what is in `meta` beside the text, and the line end. */
export const lineOf = ({ id, text, meta }: Document, rejected?: JsonValue): Uint8Array =>
  Buffer.from(`${JSON.stringify({ id, text, ...meta, ...(rejected && { rejected }) })}\n`);
