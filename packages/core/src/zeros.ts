let shared = new WeakRef(new ArrayBuffer(0));

/** Zeros in memory that all of them share, which is as large as the longest in use; they must not be written. */
export function sharedZeros(length: number): Float32Array<ArrayBuffer> {
  let buffer = shared.deref();
  if (!buffer || buffer.byteLength < 4 * length) {
    buffer = new ArrayBuffer(4 * length);
    shared = new WeakRef(buffer);
  }
  return new Float32Array(buffer, 0, length);
}
