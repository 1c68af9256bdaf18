// The project's main job: trains a small GPT on Moby-Dick. Run again, it resumes or says that it is complete.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const cli = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const config = fileURLToPath(new URL('../configs/moby-dick.json', import.meta.url));
// `npm start` needs no pnpm on the machine, so neither may what it says to type next.
const root = new URL('../../../package.json', import.meta.url);
const { packageManager } = JSON.parse(readFileSync(root, 'utf8'));
// Ctrl-C is the training's to handle: it saves first.
process.on('SIGINT', () => {});
const { status } = spawnSync(
  process.execPath,
  [
    cli,
    'train',
    '--config',
    config,
    '--out',
    'runs/moby-dick',
    '--resume',
    ...process.argv.slice(2),
  ],
  { stdio: 'inherit', env: { ...process.env, HEADWISE_COMMAND: `npx ${packageManager} headwise` } },
);
process.exit(status ?? 1);
