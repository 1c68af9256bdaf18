/**
 * The binary of TensorFlow.js's wasm backend, its memory declared as one that threads share; undefined where it is not as is known.
 *
 * Its code does not need to know: only the flag of the memory's limits changes.
 */
export function withSharedMemory(
  bytes: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> | undefined {
  const flag = memoryFlag(bytes);
  if (bytes[flag] !== 1) return undefined;
  const made = bytes.slice();
  made[flag] = 3;
  return made;
}

/** Where the flags of the first memory lie: 1 for limits from least to most. */
function memoryFlag(bytes: Uint8Array): number {
  const memorySection = 5;
  let at = 8;
  while (at < bytes.length) {
    const id = bytes[at++];
    let size = 0;
    for (let shift = 0, more = true; more; shift += 7) {
      const byte = bytes[at++]!;
      size |= (byte & 127) << shift;
      more = byte > 127;
    }
    if (id === memorySection) return at + 1;
    at += size;
  }
  return -1;
}
