/** The limit where the system reports none. */
const assumed = 2 ** 34;

interface Process {
  constrainedMemory?(): number;
  availableMemory?(): number;
}

/**
 * Bytes of memory that this process may take: what the system allows it in Node.js; 16 GiB where nothing says, as in a
 * browser.
 */
export function memoryLimit(): number {
  const { process } = globalThis as { process?: Process | undefined };
  const allowed = process?.constrainedMemory?.() ?? 0;
  // Systems without a limit say 0 or a number beyond any memory.
  if (allowed > 0 && allowed < 2 ** 50) return allowed;
  return process?.availableMemory?.() ?? assumed;
}
