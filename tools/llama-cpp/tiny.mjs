// Makes packages/models/src/goldens/llama-cpp.json: how llama.cpp continues 20 prompts greedily in tiny models of every configuration that
// tools/goldens/gguf/architectures.py has, with first values of a seed, in F16 and Q8_0. `pnpm build` first.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { getLlama } from 'node-llama-cpp';
import { ours } from './memorised.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const goldens = join(here, '../../packages/models/src/goldens');
const [{ writeFile }, { ggufFile }, { createModel }] = await Promise.all(
  ['files', 'models/node', 'models'].map(ours),
);
const seed = 5;
const vocabulary = 48;
const continued = 16;

/** Rows of whole blocks of Q8_0; a head of its own and wide first values, with which continuations differ from prompt to prompt. */
function sized(config) {
  const width = config.model_type === 'gpt2' ? { n_embd: 32 } : { hidden_size: 32 };
  const hidden = config.intermediate_size === undefined ? {} : { intermediate_size: 64 };
  const { _sliding_window_pattern: _, ...given } = config;
  const untied = config.model_type.startsWith('gemma') ? {} : { tie_word_embeddings: false };
  const range = { initializer_range: 0.2 };
  const own = { ...given, ...width, ...hidden, ...untied, ...range, vocab_size: vocabulary };
  if (config.model_type === 'falcon') {
    // Of other families; transformers keeps and does not read them.
    delete own.intermediate_size;
    delete own.num_key_value_heads;
  }
  const { rope_parameters: rope } = own;
  if (rope?.rope_type === 'longrope') {
    own.rope_parameters = {
      ...rope,
      long_factor: [1.5, 2, 3, 4],
      short_factor: [1, 1, 1.25, 1.5],
    };
  }
  return own;
}

/** Beyond every window and original length of the configurations. */
const prompts = Array.from({ length: 20 }, (_, i) =>
  Array.from(
    { length: 9 + (i % 4) },
    (_, j) => (7 * i * i + 13 * i + 5 * j * j * (i + 1) + j) % vocabulary,
  ),
);

/** A byte-level vocabulary of as many tokens, which llama.cpp wants. */
const tokenizer = {
  model: {
    type: 'BPE',
    vocab: Object.fromEntries(
      Array.from({ length: vocabulary }, (_, i) => [String.fromCharCode(48 + i), i]),
    ),
    merges: [],
  },
  added_tokens: [],
  pre_tokenizer: {
    type: 'ByteLevel',
    add_prefix_space: false,
    trim_offsets: true,
    use_regex: true,
  },
  decoder: { type: 'ByteLevel' },
};

const llama = await getLlama({ gpu: false, build: 'never', logLevel: 'error', maxThreads: 1 });
const models = {};
const folder = join(tmpdir(), 'headwise-llama-cpp-tiny');
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder);
const { models: configurations } = JSON.parse(readFileSync(join(goldens, 'gguf.json'), 'utf8'));
const only = process.argv.slice(2);
for (const [name, { config }] of Object.entries(configurations)) {
  if (only.length > 0 && !only.includes(name)) continue;
  const own = sized(config);
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(tokenizer));
  writeFileSync(join(folder, 'config.json'), JSON.stringify(own));
  const model = createModel(own, { seed });
  const file = join(folder, `${name}.gguf`);
  models[name] = { config: own };
  for (const dtype of ['f16', 'q8_0']) {
    await writeFile(file, await ggufFile(model, folder, { dtype }));
    models[name][dtype] = await continuations(file);
  }
  model.params.dispose();
  const distinct = (of) => new Set(of.map(String)).size;
  const alike = models[name].f16.filter((ids, i) => String(ids) === String(models[name].q8_0[i]));
  console.log(
    name,
    distinct(models[name].f16),
    distinct(models[name].q8_0),
    alike.length,
    String(models[name].f16[3]),
  );
}
await llama.dispose();

async function continuations(file) {
  const model = await llama.loadModel({ modelPath: file });
  const context = await model.createContext({ contextSize: 64, sequences: 1, threads: 1 });
  const sequence = context.getSequence();
  const all = [];
  for (const prompt of prompts) {
    await sequence.clearHistory();
    const made = [];
    for await (const token of sequence.evaluate(prompt, { temperature: 0, yieldEogToken: true })) {
      made.push(token);
      if (made.length === continued) break;
    }
    all.push(made);
  }
  await context.dispose();
  await model.dispose();
  return all;
}

if (only.length === 0) {
  const version = JSON.parse(
    readFileSync(join(here, 'node_modules/node-llama-cpp/package.json')),
  ).version;
  const source = `llama.cpp ${llama.llamaCppRelease?.release} of node-llama-cpp ${version}`;
  const golden = { source, script: 'tools/llama-cpp/tiny.mjs', seed, prompts, models };
  writeFileSync(join(goldens, 'llama-cpp.json'), `${JSON.stringify(golden)}\n`);
}
