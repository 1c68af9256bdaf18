// Trains a small model with `headwise train --tensorboard`, loses its last checkpoints once, goes on, and has TensorBoard's own reader load what
// was written: every value is compared with the run's history. Ends with 1 where one is missing, there twice, or another.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { environment, run } from '../python.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const cli = fileURLToPath(new URL('../../apps/cli/dist/main.js', import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'headwise-tensorboard-'));
try {
  const config = join(work, 'config.json');
  const model = { dim: 16, heads: 2, layers: 1 };
  const data = { task: 'reverse', length: 3 };
  const training = {
    steps: 12,
    batchSize: 4,
    learningRate: 0.02,
    checkpointEvery: 4,
    validateEvery: 4,
  };
  writeFileSync(config, JSON.stringify({ model, data, training }));
  const [out, logs] = [join(work, 'run'), join(work, 'logs', 'first')];
  const train = ['train', '--config', config, '--out', out, '--resume', '--tensorboard', logs];
  const headwise = (...more) =>
    execFileSync(process.execPath, [cli, ...train, '--backend', 'cpu', ...more], {
      stdio: 'ignore',
    });
  headwise('--set', 'training.steps=8');
  const [saved, lost] = [join(work, 'saved'), join(work, 'lost')];
  cpSync(out, saved, { recursive: true });
  headwise();
  // What came after step 8 was written to event files and not saved: the run makes it again.
  renameSync(out, lost);
  renameSync(saved, out);
  headwise();
  const history = join(out, 'trainer', 'history.jsonl');
  console.log(readFileSync(history, 'utf8').trim().split('\n').length, 'entries of the history');
  const { python } = environment('tensorboard', join(here, 'requirements.txt'));
  run(python, [join(here, 'read.py'), logs, history, join(here, 'result.json')]);
} finally {
  rmSync(work, { recursive: true });
}
