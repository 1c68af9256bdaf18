// What each part of the main job's recipe brings: trains from the plain recipe to the whole one, a part more at a time, and
// prints a Markdown table. `node apps/cli/scripts/recipe-table.mjs [STEPS] [OUT]`.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const [steps = '270', out = 'runs/recipe-table'] = process.argv.slice(2);
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

console.log(`| recipe, ${steps} steps | bits per byte | seconds |`);
console.log('| --- | --- | --- |');
const settings = [`training.steps=${steps}`];
for (const [row, [title, keys, others = []]] of parts.entries()) {
  settings.push(...keys.map((key) => `${key}=${JSON.stringify(valueAt(whole, key))}`), ...others);
  const { bitsPerByte, seconds } = trained(join(out, String(row)));
  console.log(`| ${row === 0 ? '' : '+ '}${title} | ${bitsPerByte} | ${seconds} |`);
}

function trained(folder) {
  const sets = settings.flatMap((setting) => ['--set', setting]);
  const args = ['train', '--config', config, '--out', folder, '--json', ...sets];
  const { stdout, status } = spawnSync(process.execPath, [path('../dist/main.js'), ...args], {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) process.exit(status ?? 1);
  const events = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const last = (kind) => events.findLast(({ event }) => event === kind);
  return {
    bitsPerByte: last('validation').history.at(-1).bitsPerByte.toFixed(3),
    seconds: Math.round(last('done').seconds),
  };
}

function valueAt(config, key) {
  return key.split('.').reduce((value, name) => value[name], config);
}
