import { fork } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { run } from './run.mjs';

const home = fileURLToPath(new URL('../../tools/registry/', import.meta.url));

/** Installs the registry's server, unless that was done since its lockfile last changed. */
export async function installRegistry(signal) {
  const changed = (path) => statSync(`${home}${path}`, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (changed('node_modules/.package-lock.json') >= changed('package-lock.json')) return;
  const quiet = ['--no-audit', '--no-fund', '--ignore-scripts'];
  await run('npm', ['ci', ...quiet], { cwd: home, signal });
}

/**
 * Starts an empty registry on a free loopback port, without any other registry behind it.
 *
 * @param {string} storage an empty folder
 * @returns {Promise<{ url: string, stop: () => Promise<void> }>}
 */
export async function startRegistry(storage) {
  const server = fork(`${home}serve.mjs`, [storage], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  let printed = '';
  for (const stream of [server.stdout, server.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      printed += text;
    });
  }
  const gone = once(server, 'close');
  const [url] = await Promise.race([once(server, 'message'), gone.then(() => [])]);
  if (typeof url !== 'string') {
    throw new Error('the registry did not start', { cause: printed.trimEnd() });
  }
  const stop = async () => {
    server.kill('SIGKILL');
    await gone;
  };
  return { url, stop };
}
