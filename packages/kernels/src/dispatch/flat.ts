/** A run of values of one of many tensors, and where it lies when they follow each other in chunks. */
export interface Piece {
  /** Which tensor. */
  tensor: number;
  /** Its first value, within the tensor. */
  from: number;
  /** The place of that value within the chunk. */
  at: number;
  /** The number of values. */
  size: number;
}

/** One chunk of the flat order of many tensors. */
export interface FlatChunk {
  /** The number of values. */
  size: number;
  pieces: Piece[];
}

/** Lays tensors of the given sizes one after another and cuts what results into chunks of `most` values. */
export function flatChunks(sizes: readonly number[], most: number): FlatChunk[] {
  const chunks: FlatChunk[] = [];
  sizes.forEach((size, tensor) => {
    for (let from = 0; from < size; ) {
      let chunk = chunks.at(-1);
      if (!chunk || chunk.size === most) {
        chunk = { size: 0, pieces: [] };
        chunks.push(chunk);
      }
      const taken = Math.min(size - from, most - chunk.size);
      chunk.pieces.push({ tensor, from, at: chunk.size, size: taken });
      chunk.size += taken;
      from += taken;
    }
  });
  return chunks;
}

/** Lays tensors one after another in chunks of `most` values, or of one tensor that is larger; none is cut. */
export function wholeChunks(sizes: readonly number[], most: number): FlatChunk[] {
  const chunks: FlatChunk[] = [];
  sizes.forEach((size, tensor) => {
    let chunk = chunks.at(-1);
    if (!chunk || chunk.size + size > most) {
      chunk = { size: 0, pieces: [] };
      chunks.push(chunk);
    }
    chunk.pieces.push({ tensor, from: 0, at: chunk.size, size });
    chunk.size += size;
  });
  return chunks;
}
