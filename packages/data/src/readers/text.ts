import type { Document } from '../documents/document.js';
import { checkLength, longestDocument } from './source-document.js';
import { utf8Text } from './utf8.js';

/**
 * A text file as one document.
 * @throws DataError naming the file that is not UTF-8, or longer than `maxBytes`
 */
export async function* textDocument(
  chunks: AsyncIterable<Uint8Array>,
  name: string,
  maxBytes: number = longestDocument,
): AsyncGenerator<Document> {
  const parts: string[] = [];
  let bytes = 0;
  async function* checked(): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      bytes += chunk.length;
      checkLength(bytes, maxBytes, `${name}: the text`);
      yield chunk;
    }
  }
  for await (const part of utf8Text(checked(), name)) parts.push(part);
  yield { id: name, text: parts.join(''), meta: {} };
}
