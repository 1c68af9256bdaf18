// Compares llama.cpp with our own models, of every architecture that GGUF is written for and read from: token ids of texts, greedy
// continuations, and distributions. Ends with 1 where f16 gives another token than ours, a file of f16 or q8_0 that we read is continued
// otherwise than by llama.cpp at more than a near tie, an error is above its bound, or a bound would miss wrong positions.
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { getLlama } from 'node-llama-cpp';
import { record } from '../record.mjs';
import {
  continuations,
  continued,
  distinctOf,
  greedy,
  logitsOf,
  memorised,
  mostlyDistinct,
  ours,
  text,
  work,
} from './memorised.mjs';
import { families, vocabularies } from './models.mjs';

const [{ writeFile }, { ggufFile, loadModel }, { load }] = await Promise.all(
  ['files', 'models/node', 'text/node'].map(ours),
);
const here = dirname(fileURLToPath(import.meta.url));
const tokenizers = createRequire(join(here, '../../packages/tokenizers/package.json'));
const types = ['f16', 'q8_0', 'q4_k'];
/** Differences of two best scores, in nats, that the rounding of what is multiplied turns around. */
const nearTie = { f16: 0.01, q8_0: 0.15, q4_k: 1 };
/** The most that the mean Kullback-Leibler divergence from our float32 may be, nats a token. */
const bounds = { f16: 1e-6, q8_0: 5e-4, q4_k: 0.02 };

const llama = await getLlama({ gpu: false, build: 'never', logLevel: 'error', maxThreads: 1 });
const versions = {
  'node-llama-cpp': JSON.parse(readFileSync(join(here, 'node_modules/node-llama-cpp/package.json')))
    .version,
  'llama.cpp': llama.llamaCppRelease?.release,
  node: process.version,
  cpu: cpus()[0]?.model,
};
const results = [];
/** Each is recorded at once: a run that is stopped keeps what it has found. */
const add = (result) => {
  results.push(result);
  console.log(JSON.stringify(result));
  record(join(here, 'result.json'), { versions, prompts: 20, continued, bounds, nearTie }, results);
};
const only = process.argv.slice(2);
const asked = (all, nameOf = (name) => name) =>
  Object.entries(all).filter(([name]) => only.length === 0 || only.includes(nameOf(name)));
const vocabularyOf = (name) => `vocabulary-${name}`;
for (const [name, family] of asked(families)) add(await compare(name, family));
for (const [name, make] of asked(vocabularies, vocabularyOf)) add(await tokenizes(name, make));

process.exitCode = results.every(({ good }) => good) ? 0 : 1;
await llama.dispose();

/** A model of a family in llama.cpp against ours, and against itself with wrong positions. */
async function compare(name, { config, wrong }) {
  const folder = memorised(name, config);
  const { cases, vocabSize } = await continuations(folder);
  const distinct = distinctOf(cases);
  const result = { model: name, good: distinct >= mostlyDistinct, distinct };
  for (const dtype of types) {
    const file = await converted(folder, dtype);
    // The same values as packed, which WebAssembly would unpack for each token.
    const reading = await load(file, { dtype: 'f32' });
    const measured = await measure(file, cases, vocabSize, reading);
    reading.model.params.dispose();
    result[dtype] = measured;
    const { sameIds, rounded, differences, divergence } = measured;
    const same = dtype !== 'f16' || rounded.every(({ ours }) => ours < nearTie.f16);
    const read =
      dtype === 'q4_k' ||
      differences.every(({ ours, theirs }) => Math.max(ours, theirs) < nearTie[dtype]);
    result.good &&= same && read && sameIds === cases.length && divergence <= bounds[dtype];
  }
  if (wrong !== undefined) {
    const other = join(work, `${name}-wrong`);
    cpSync(folder, other, { recursive: true });
    rmSync(join(other, 'headwise-manifest.json'));
    writeFileSync(join(other, 'config.json'), JSON.stringify({ ...configOf(folder), ...wrong }));
    result.wrong = await measure(await converted(other, 'f16'), cases, vocabSize);
    result.good &&= result.wrong.divergence > 10 * bounds.f16;
    rmSync(other, { recursive: true });
  }
  return result;
}

function configOf(folder) {
  return JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'));
}

/** As `headwise convert --to gguf --dtype …` does it, without a process for each. */
async function converted(folder, dtype) {
  const file = `${folder}-${dtype}.gguf`;
  const model = await loadModel(folder);
  // llama.cpp wants tokens of Phi-3's own vocabulary of a model with that name.
  await writeFile(file, await ggufFile(model, folder, { dtype, name: 'memorised' }));
  model.params.dispose();
  return file;
}

/**
 * How a file continues the prompts, and how far its distributions are from ours.
 *
 * @param reading our own reading of the same file, whose continuations are compared too
 */
async function measure(file, cases, vocabSize, reading) {
  const model = await llama.loadModel({ modelPath: file });
  const context = await model.createContext({ contextSize: 64, sequences: 1, threads: 1 });
  const sequence = context.getSequence();
  const probabilities = async (ids) => {
    await sequence.clearHistory();
    const given = ids.map((token) => [token, { generateNext: { probabilities: true } }]);
    return (await sequence.controlledEvaluate(given)).map(({ next }) => next.probabilities);
  };
  let [sameIds, sameTokens, readAlike, sum, count] = [0, 0, 0, 0, 0];
  // From our float32, and from our own reading of the file.
  const [rounded, differences] = [[], []];
  for (const [prompt, { prompt: text, ids, tokens, logits }] of cases.entries()) {
    if (String(model.tokenize(text)) === String(ids)) sameIds++;
    await sequence.clearHistory();
    const made = [];
    for await (const token of sequence.evaluate(ids, { temperature: 0, yieldEogToken: true })) {
      made.push(token);
      if (made.length === continued) break;
    }
    const other = made.findIndex((token, i) => token !== tokens[i]);
    if (other < 0) sameTokens++;
    else {
      const scores = logits.subarray((ids.length + other - 1) * vocabSize);
      rounded.push({ prompt, token: other, ours: scores[tokens[other]] - scores[made[other]] });
    }
    for (const [i, told] of (await probabilities([...ids, ...tokens].slice(0, -1))).entries()) {
      sum += divergence(logits.subarray(i * vocabSize, (i + 1) * vocabSize), told);
      count++;
    }
    if (!reading) continue;
    const own = [...reading.tokenizer.encode(text).ids];
    const read = await greedy(reading.model.network, own);
    const at = made.findIndex((token, i) => token !== read[i]);
    if (at < 0) {
      readAlike++;
      continue;
    }
    // By how much each prefers its own token, in nats.
    const before = [...ids, ...made.slice(0, at)];
    const scores = (await logitsOf(reading.model.network, before)).subarray(-vocabSize);
    const told = (await probabilities(before)).at(-1);
    differences.push({
      prompt,
      token: at,
      ours: scores[read[at]] - scores[made[at]],
      theirs: Math.log(told.get(made[at]) / told.get(read[at])),
    });
  }
  await context.dispose();
  await model.dispose();
  const compared = reading ? { readAlike, differences } : {};
  return { sameIds, sameTokens, rounded, divergence: sum / count, ...compared };
}

/**
 * `Σ p (log p − log q) − p + q` of our logits and llama.cpp's probabilities.
 *
 * That is the divergence where both sum to 1, and is not moved by the rounding of their sums.
 */
function divergence(logits, probabilities) {
  const most = Math.max(...logits);
  const total = logits.reduce((sum, logit) => sum + Math.exp(logit - most), 0);
  let sum = 0;
  for (const [token, q] of probabilities) {
    const logP = logits[token] - most - Math.log(total);
    const p = Math.exp(logP);
    if (q > 0) sum += p * (logP - Math.log(q)) - p + q;
  }
  return sum;
}

/** Texts as tokens of a published or a trained vocabulary. */
async function tokenizes(name, make) {
  const folder = join(work, vocabularyOf(name));
  const { tokenizer, texts } = await make(folder, { text, resolve: tokenizers.resolve, ours });
  const file = await converted(folder, 'f16');
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
    model: vocabularyOf(name),
    texts: texts.length,
    different: different.slice(0, 5),
    good: different.length === 0,
  };
}
