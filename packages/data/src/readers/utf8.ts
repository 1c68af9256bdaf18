import { DataError } from '../errors.js';

/**
 * The text of consecutive chunks in strict UTF-8, without its byte order mark, a piece for each chunk.
 * @throws DataError naming the file and the piece that is not UTF-8
 */
export async function* utf8Text(
  chunks: AsyncIterable<Uint8Array>,
  name: string,
): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let bytes = 0;
  const decode = (chunk?: Uint8Array) => {
    try {
      return chunk ? decoder.decode(chunk, { stream: true }) : decoder.decode();
    } catch (cause) {
      const to = bytes + (chunk?.length ?? 0);
      throw new DataError(`${name}: is not UTF-8 between bytes ${bytes} and ${to}`, { cause });
    }
  };
  for await (const chunk of chunks) {
    yield decode(chunk);
    bytes += chunk.length;
  }
  yield decode();
}
