// A run of three steps, exported; train.py makes three more, whose folder is the golden, and then three more, whose losses are.
//
//   node make.mjs PYTHON FOLDER
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const [python, golden] = process.argv.slice(2);
const cli = fileURLToPath(new URL('../../../apps/cli/dist/main.js', import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'headwise-goldens-torchrun-'));
const env = { ...process.env, HEADWISE_BACKEND: 'cpu', OMP_NUM_THREADS: '1' };
const stdio = ['ignore', 'ignore', 'inherit'];
const run = (program, ...args) => execFileSync(program, args, { cwd: work, env, stdio });
const headwise = (...args) => run(process.execPath, cli, ...args);
const continueTo = (from, to, step) =>
  run(
    join(dirname(python), 'torchrun'),
    ...['--nproc-per-node', '2', `${from}/train.py`, '--out', to, '--until', String(step)],
  );

const text = Array.from(
  { length: 60 },
  (_, i) => `the ${i % 7} whales saw ${i % 5} ships of ${i % 11} harpooners.`,
).join('\n');
writeFileSync(join(work, 'corpus.txt'), text);
const config = {
  model: { config: { model_type: 'bloom', hidden_size: 16, n_head: 2, n_layer: 2 }, context: 12 },
  tokenizer: { kind: 'character' },
  data: { corpus: 'corpus.txt' },
  // The rate is the same in every step, however many there are.
  training: { seed: 3, steps: 3, batchSize: 4, learningRate: 0.01, minLearningRate: 0.01 },
};
writeFileSync(join(work, 'run.json'), JSON.stringify(config));
headwise('train', '--config', 'run.json', '--out', 'run');
headwise('export', '--to', 'torch', '--model', 'run', '--out', 'out');
// It has six steps more to make.
const change = (name, edit) => {
  const path = join(work, 'out/trainer', name);
  const json = JSON.parse(readFileSync(path, 'utf8'));
  edit(json);
  writeFileSync(path, JSON.stringify(json));
};
change('torch.json', (state) => Object.assign(state, { steps: 9 }));
change('config.json', ({ training }) => Object.assign(training, { steps: 9 }));
continueTo('out', 'six', 6);
continueTo('six', 'nine', 9);

rmSync(golden, { recursive: true, force: true });
const left = ['train.py', 'trainer/tokens.bin'].map((name) => join(work, 'six', name));
cpSync(join(work, 'six'), golden, { recursive: true, filter: (path) => !left.includes(path) });
cpSync(join(work, 'corpus.txt'), join(golden, 'corpus.txt'));
const lines = readFileSync(join(work, 'nine/trainer/history.jsonl'), 'utf8').trim().split('\n');
const losses = lines.map((line) => JSON.parse(line)).flatMap(({ loss }) => loss ?? []);
const version = execFileSync(python, ['-c', 'import torch; print(torch.__version__)'], {
  encoding: 'utf8',
}).trim();
const source = { source: 'torch', version, script: 'tools/goldens/torchrun/make.mjs' };
writeFileSync(join(golden, 'losses.json'), `${JSON.stringify({ ...source, losses })}\n`);
rmSync(work, { recursive: true });
