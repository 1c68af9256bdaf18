// `npm test` with every case of every test, in Chromium too; before a release, and after a change to many shaders.
import { spawnSync } from 'node:child_process';

const { status } = spawnSync('npm', ['test'], {
  stdio: 'inherit',
  shell: process.platform === 'win32',
  env: { ...process.env, HEADWISE_TESTS: 'full' },
});
process.exit(status ?? 1);
