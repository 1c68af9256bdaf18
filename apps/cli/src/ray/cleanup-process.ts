// The second process of `Cleanup`: its input ends with the process that holds the other end.
import { rmSync } from 'node:fs';

const [folder] = process.argv.slice(2);
let told = '';

// Signals are for the process that it waits for.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
process.stdin.setEncoding('utf8').on('data', (text: string) => {
  told += text;
});
process.stdin.on('end', () => {
  // Of the lines, each with the number of a process or empty, the last whole one counts.
  const pid = Number(told.split('\n').at(-2) ?? '');
  try {
    if (pid > 0) process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
  if (folder !== undefined) {
    rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 250 });
  }
});
