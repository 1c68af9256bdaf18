// Builds the workspace without a word, unless that fails, and runs a built program: standard output is the program's alone.
import { spawnSync } from 'node:child_process';

const [program, ...args] = process.argv.slice(2);
const build = spawnSync('pnpm', ['--silent', 'build'], {
  encoding: 'utf8',
  shell: process.platform === 'win32',
});
if (build.status !== 0) {
  process.stderr.write(build.error?.message ?? build.stdout + build.stderr);
  process.exit(1);
}
// Ctrl-C is the program's to handle; it may have something to save.
process.on('SIGINT', () => {});
const { status } = spawnSync(process.execPath, [program, ...args], { stdio: 'inherit' });
process.exit(status ?? 1);
