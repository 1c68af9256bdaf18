// Builds the workspace without a word, unless that fails, and runs a built program: standard output is the program's alone.
// After `npm start`, which installs no tool to build everything, the program runs as it was built there.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const [program, ...args] = process.argv.slice(2);
if (existsSync('node_modules/turbo') || !existsSync(program)) build();
// Ctrl-C is the program's to handle; it may have something to save.
process.on('SIGINT', () => {});
const { status } = spawnSync(process.execPath, [program, ...args], { stdio: 'inherit' });
process.exit(status ?? 1);

function build() {
  const { status, error, stdout, stderr } = spawnSync('pnpm', ['--silent', 'build'], {
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  if (status === 0) return;
  process.stderr.write(error?.message ?? stdout + stderr);
  process.exit(1);
}
