// Checks the built declarations of every package as a project without `skipLibCheck` reads them. TensorFlow.js's own
// declarations contradict TypeScript's of WebGPU and do not pass; what counts here is that ours do. Optional properties must take
// `undefined`. Needs a build.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withoutUndefined } from './optional-properties.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'headwise-declarations-'));
try {
  const config = {
    compilerOptions: {
      module: 'nodenext',
      target: 'es2023',
      lib: ['es2023', 'dom', 'dom.iterable'],
      strict: true,
      exactOptionalPropertyTypes: true,
      noEmit: true,
      skipLibCheck: false,
      types: ['node'],
      typeRoots: [join(root, 'node_modules/@types')],
    },
    include: [join(root, 'packages/*/dist/**/*.d.ts')],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  const { stdout, status } = spawnSync('tsc', ['-p', folder], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, PATH: `${join(root, 'node_modules/.bin')}:${process.env.PATH}` },
  });
  const errors = stdout.split('\n').filter((line) => /error TS\d+/.test(line));
  const isOurs = (line) => resolve(root, line).startsWith(`${join(root, 'packages')}/`);
  const ours = errors.filter((line) => isOurs(line) || !line.includes('node_modules'));
  if (status !== 0 && errors.length === 0) throw new Error(`tsc ended with ${status}: ${stdout}`);
  for (const line of ours) console.error(line);
  if (ours.length > 0) process.exitCode = 1;
  for (const path of declarations()) {
    for (const { name, line } of withoutUndefined(readFileSync(join(root, path), 'utf8'))) {
      console.error(
        `${path}:${line}: '${name}?' lacks '| undefined', so that a caller cannot pass on its own option`,
      );
      process.exitCode = 1;
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** The built declaration files of all packages. */
function declarations() {
  return readdirSync(join(root, 'packages')).flatMap((name) =>
    readdirSync(join(root, 'packages', name, 'dist'), { recursive: true })
      .filter((file) => file.endsWith('.d.ts'))
      .map((file) => `packages/${name}/dist/${file}`),
  );
}
