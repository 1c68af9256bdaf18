import { join } from 'node:path';
import { run } from '../../python.mjs';

const name = '@node-llama-cpp/linux-x64';
const version = '3.22.1';

/** Installs ggml's own functions, from an npm package of node-llama-cpp. */
export function prepare(work) {
  const install = ['install', '--silent', '--no-save', '--ignore-scripts', '--prefix', work];
  run('npm', [...install, `${name}@${version}`]);
  return {
    library: join(work, 'node_modules', name, 'bins/linux-x64/libggml-base.so'),
    version: `libggml-base of ${name} ${version}`,
  };
}
