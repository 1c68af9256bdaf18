// The project's main job: trains a small GPT on Moby-Dick. Run again, it resumes or says that it is complete.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const cli = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const config = fileURLToPath(new URL('../configs/moby-dick.json', import.meta.url));
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
  { stdio: 'inherit' },
);
process.exit(status ?? 1);
