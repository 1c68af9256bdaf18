// `npm start`: installs and builds what the main job needs, and runs it. Where everything is installed, it stays.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

// The command line, the packages that it runs with, and the text: no tools for tests, the browser or the benchmarks.
// TensorFlow.js is a peer of our packages, which find it at the top.
const mainJob = [
  '--prod',
  '--filter-prod=headwise...',
  '--filter-prod=headwise-workspace',
  '--config.public-hoist-pattern=@tensorflow/*',
  '--config.public-hoist-pattern=@types/*',
  '--config.public-hoist-pattern=webgpu',
];

const everything = existsSync('node_modules/turbo');
process.on('SIGINT', () => {});
run('pnpm', 'install', '--frozen-lockfile', ...(everything ? [] : mainJob));
// `npm test` checks the types.
if (everything) run('pnpm', 'build');
else run('tsc', '--build', 'apps/cli', '--noCheck');
run('node', 'apps/cli/scripts/main-job.mjs', ...process.argv.slice(2));

function run(program, ...args) {
  // Ctrl-C is the training's to handle: it saves first.
  const shell = process.platform === 'win32';
  const { status, error } = spawnSync(program, args, { stdio: 'inherit', shell });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}
