// What each part of the main job's recipe brings: trains from the plain recipe to the whole one, a part more at a time, and
// prints a Markdown table. Rows that are in OUT are not trained again.
// `node apps/cli/scripts/recipe-table.mjs [STEPS] [OUT] [options of headwise train]`.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const [steps = '270', out = 'runs/recipe-table', ...options] = process.argv.slice(2);
const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const read = (name) => JSON.parse(readFileSync(path(`../configs/${name}.json`), 'utf8'));
const [plain, whole] = [read('moby-dick-plain'), read('moby-dick')];

const half = Math.floor(steps / 2);
// Each row has the values of the whole recipe for its keys, and keeps those of the rows above it.
const parts = [
  ['plain: learned positions, layer norm, GELU, AdamW, cosine', []],
  ['rotary positions', ['model.position']],
  ['RMS norm, ReLU²', ['model.norm', 'model.feedForward']],
  ['norms of queries, keys and embeddings', ['model.qkNorm', 'model.embeddingNorm']],
  ['an output matrix of its own, which starts at zero', ['model.tied', 'model.init']],
  [
    'Muon for matrices, the last half of the steps in a line to zero',
    ['optimizer', 'learningRate', 'adamwRate', 'beta2', 'weightDecay'].map(
      (key) => `training.${key}`,
    ),
    [`training.decaySteps=${half}`, 'training.minLearningRate=0', 'training.warmupSteps=0'],
  ],
  ['a vocabulary of 2,048', ['tokenizer.vocabSize']],
];

// The plain recipe by its parts, not by its family's name, which fixes them.
const { family: _, ...model } = plain.model;
const config = join(out, 'plain.json');
mkdirSync(out, { recursive: true });
writeFileSync(config, JSON.stringify({ ...plain, model }));

// The warm-up keeps its share of the plain recipe's steps.
const warmup = Math.round((plain.training.warmupSteps / plain.training.steps) * steps);
const settings = [
  `training.steps=${steps}`,
  `training.warmupSteps=${warmup}`,
  'samples.temperatures=[0.8]',
];
console.log(`| recipe, ${steps} steps | bits per byte | seconds a step |`);
console.log('| --- | --- | --- |');
for (const [row, [title, keys, others = []]] of parts.entries()) {
  settings.push(...keys.map((key) => `${key}=${JSON.stringify(valueAt(whole, key))}`), ...others);
  const { bitsPerByte, secondsPerStep } = rowOf(join(out, String(row)));
  const figures = [bitsPerByte.toFixed(3), secondsPerStep.toFixed(2)];
  console.log(`| ${row === 0 ? '' : '+ '}${title} | ${figures.join(' | ')} |`);
}

/** What was measured in a folder with these settings before, or is trained there now. */
function rowOf(folder) {
  const args = [...settings.flatMap((setting) => ['--set', setting]), ...options];
  const file = `${folder}.json`;
  if (existsSync(file)) {
    const kept = JSON.parse(readFileSync(file, 'utf8'));
    if (JSON.stringify(kept.args) === JSON.stringify(args)) return kept;
  }
  rmSync(folder, { recursive: true, force: true });
  const row = { ...trained(folder, args), args };
  writeFileSync(file, JSON.stringify(row, undefined, 2));
  return row;
}

function trained(folder, args) {
  const { stdout, status } = spawnSync(
    process.execPath,
    [path('../dist/main.js'), 'train', '--config', config, '--out', folder, '--json', ...args],
    { encoding: 'utf8', maxBuffer: 2 ** 28, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  if (status !== 0) process.exit(status ?? 1);
  const events = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const all = (kind) => events.filter(({ event }) => event === kind);
  const times = all('step')
    .map(({ ms }) => ms / 1000)
    .sort((a, b) => a - b);
  const [{ backend, adapter }] = all('backend');
  return {
    bitsPerByte: all('validation').at(-1).history.at(-1).bitsPerByte,
    // The median: the first steps compile their kernels.
    secondsPerStep: times[times.length >> 1],
    text: all('sample').at(-1).text,
    backend,
    adapter,
  };
}

function valueAt(config, key) {
  return key.split('.').reduce((value, name) => value[name], config);
}
