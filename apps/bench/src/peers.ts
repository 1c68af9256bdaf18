import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** What others are timed as: packages with a lockfile of their own, which only some workloads need. */
export const peersFolder: URL = new URL('../../../tools/peers/', import.meta.url);

/** Installs the packages in `tools/peers`, unless that was done since their lockfile last changed. */
export function installPeers(): void {
  const changed = (path: string) =>
    statSync(new URL(path, peersFolder), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (changed('node_modules/.package-lock.json') >= changed('package-lock.json')) return;
  const cwd = fileURLToPath(peersFolder);
  console.log(`installing what we are timed against in ${cwd} (once, about 600 MB)`);
  const { status, error } = spawnSync(
    'npm',
    ['ci', '--no-audit', '--no-fund', '--ignore-scripts'],
    { cwd, stdio: 'inherit', shell: process.platform === 'win32' },
  );
  if (error) throw error;
  if (status !== 0) throw new Error(`npm ci in ${cwd} ended with ${status}`);
}
