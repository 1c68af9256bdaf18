import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { createModel } from '@headwise/models';
import { saveModel } from '@headwise/models/node';
import { embed, loadEmbeddingModel } from '@headwise/text/node';
import { trainCharacter } from '@headwise/tokenizers';
import { saveTokenizer } from '@headwise/tokenizers/node';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  headwise,
  headwiseHere,
  headwiseKilled,
  jsonLines,
  lossesOf,
  temporaryFolder,
  writeConfig,
} from './headwise.js';

const work = temporaryFolder();
const model = join(work, 'model');
const chats = join(work, 'chats.jsonl');
const subjects = ['the whale', 'the captain', 'a sailor', 'the old ship', 'our boat', 'the sea'];

beforeAll(() => {
  const config = writeConfig(work, (c) => {
    c.model = { dim: 16, heads: 2, layers: 1, context: 64, position: 'rotary' };
    c.training.steps = 12;
  });
  expect(headwise(['train', '--config', config, '--out', model])).toMatchObject({ code: 0 });
  const template =
    '{% for m in messages %}{{ m.role[0] }}:{{ m.content }};{% endfor %}{% if add_generation_prompt %}a:{% endif %}';
  writeFileSync(join(model, 'chat_template.jinja'), template);
  const rows = subjects.map((subject) => ({
    messages: [
      { role: 'user', content: `where is ${subject}?` },
      { role: 'assistant', content: `${subject} is here` },
    ],
  }));
  writeFileSync(chats, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
});

/** A new BERT with a tokenizer of characters. */
async function saveEncoder(folder: string): Promise<void> {
  const tokenizer = await trainCharacter(['abcdefghijklmnopqrstuvwxyz '], {
    specialTokens: ['[PAD]'],
  });
  const encoder = createModel({
    model_type: 'bert',
    architectures: ['BertModel'],
    vocab_size: tokenizer.vocabSize,
    hidden_size: 16,
    intermediate_size: 32,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    max_position_embeddings: 16,
    hidden_dropout_prob: 0,
    attention_probs_dropout_prob: 0,
  });
  await saveModel(folder, encoder);
  await saveTokenizer(tokenizer, join(folder, 'tokenizer.json'));
  encoder.params.dispose();
}

/** Runs with a disk that has room for a few kilobytes, which a lock fits in and a checkpoint does not, once a condition holds. */
async function withFullDisk<T>(isFull: () => boolean, run: () => Promise<T>): Promise<T> {
  const handle = await open(chats);
  const files = Object.getPrototypeOf(handle) as {
    write: (...args: unknown[]) => Promise<unknown>;
  };
  await handle.close();
  const { write } = files;
  let room = 4096;
  files.write = function (this: unknown, ...args) {
    if (isFull()) room -= Number(args[2] ?? (args[0] as Uint8Array).length);
    if (room > 0) return write.apply(this, args);
    const error = new Error('ENOSPC: no space left on device, write');
    return Promise.reject(Object.assign(error, { code: 'ENOSPC', errno: -28, syscall: 'write' }));
  };
  try {
    return await run();
  } finally {
    files.write = write;
  }
}

const finetune = (out: string, ...more: string[]) => [
  ...['finetune', '--model', model, '--data', chats, '--out', join(work, out)],
  ...['--method', 'lora', '--batch-size', '2', '--learning-rate', '0.02', ...more],
];

test('an adapter learns answers, and the model writes with it beside as it does merged', async () => {
  const { code, stdout, stderr } = await headwiseHere(
    finetune('adapter', '--steps', '16', '--json'),
  );
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const events = jsonLines(stdout);
  expect(events.slice(0, 3).map(({ event }) => event)).toEqual(['backend', 'plan', 'data']);
  const [, plan] = events as [unknown, { peak: number; weights: number }];
  expect(plan.peak).toBeGreaterThan(plan.weights);
  expect(events[2]).toMatchObject({ event: 'data', train: 5, validation: 1, cut: 0, leftOut: 0 });
  const { history } = events.find(({ event }) => event === 'validation') as {
    history: { step: number; loss: number }[];
  };
  expect(history.map(({ step }) => step)).toEqual([0, 16]);
  expect(history[1]!.loss).toBeLessThan(history[0]!.loss - 0.1);

  const adapter = join(work, 'adapter');
  const config = JSON.parse(readFileSync(join(adapter, 'adapter_config.json'), 'utf8'));
  expect(config).toMatchObject({ peft_type: 'LORA', r: 16, lora_alpha: 32 });
  const merged = join(work, 'merged');
  const converted = ['convert', '--model', model, '--adapter', adapter, '--out', merged];
  expect((await headwiseHere(converted)).code).toBe(0);
  const written = async (...from: string[]) => {
    const sampling = ['--max-new-tokens', '12', '--temperature', '1', '--seed', '3', '--json'];
    const run = await headwiseHere(['generate', ...from, '--prompt', 'u:where', ...sampling]);
    return JSON.parse(run.stdout).ids;
  };
  const beside = await written('--model', model, '--adapter', adapter);
  expect(beside).toEqual(await written('--model', merged));
  expect(beside).not.toEqual(await written('--model', model));
});

test('all weights are trained into a folder that carries the tokenizer and the chat template', async () => {
  const { code, stdout } = await headwiseHere(finetune('whole', '--method', 'sft', '--steps', '2'));
  expect(code).toBe(0);
  const whole = join(work, 'whole');
  expect(stdout).toContain(`headwise chat --model ${whole}\n`);
  for (const name of ['model.safetensors', 'tokenizer.json', 'chat_template.jinja']) {
    expect(existsSync(join(whole, name)), name).toBe(true);
  }
  const generate = ['generate', '--model', whole, '--prompt', 'the', '--max-new-tokens', '2'];
  expect(await headwiseHere(generate)).toMatchObject({ code: 0, stderr: '' });
});

test('sentence vectors are trained, measured, and made by `embed` from the folder', async () => {
  const encoder = join(work, 'encoder');
  await saveEncoder(encoder);
  const pairs = join(work, 'pairs.jsonl');
  // The first two letters tell what belongs together, and the others do not.
  const letter = (i: number) => String.fromCharCode(97 + (i % 26));
  const rows = Array.from({ length: 52 }, (_, i) => {
    const key = letter(i) + letter(i * 3 + Number(i > 25));
    return {
      anchor: `${key} ${letter(i * 7)}${letter(i * 5)}`,
      positive: `${key} ${letter(i * 11 + 4)}${letter(i * 9 + 2)}`,
    };
  });
  writeFileSync(pairs, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const out = join(work, 'vectors');
  const run = await headwiseHere([
    ...['finetune', '--model', encoder, '--data', pairs, '--method', 'embed', '--out', out],
    ...['--steps', '12', '--batch-size', '16', '--learning-rate', '0.01', '--validation', '0.4'],
  ]);
  expect(run).toMatchObject({ code: 0, stderr: '' });
  expect(run.stdout).toMatch(/^memory {5}\d+ [kM]B at its peak \(\w+\): weights /m);
  const recall = [...run.stdout.matchAll(/^validation .*, recall@1 (\d\.\d+)$/gm)];
  expect(Number(recall[1]![1])).toBeGreaterThan(Number(recall[0]![1]));
  expect(run.stdout).toContain(`headwise embed --model ${out} --data texts.jsonl`);
  expect(run.stdout).toContain(`headwise serve --model ${out}\n`);

  const { model: loaded, tokenizer } = await loadEmbeddingModel(out);
  expect(loaded.embedding).toMatchObject({ pooling: ['mean'], normalize: true });
  const texts = ['ab zz', 'ab ce', 'mn ce'];
  const vectors = await embed(loaded, tokenizer, texts);
  const [anchor, own, other] = vectors;
  loaded.params.dispose();
  // The command makes the same vectors, in the order of its lines.
  const lines = texts.map((text) => `${JSON.stringify({ text })}\n`).join('');
  const asked = ['embed', '--model', out, '--data', '-'];
  const { code, stdout, stderr } = headwise(asked, lines);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const said = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(said.map(({ text }) => text)).toEqual(texts);
  expect(said.map(({ embedding }) => embedding)).toEqual(vectors.map((vector) => [...vector]));
  const data = join(work, 'texts.jsonl');
  writeFileSync(data, lines);
  const file = join(work, 'vectors.jsonl');
  const short = ['--dimensions', '2', '--no-normalize', '--pooling', 'cls', '--out', file];
  const cut = await headwiseHere(['embed', '--model', out, '--data', data, ...short]);
  expect(cut).toEqual({ code: 0, stdout: '', stderr: '' });
  expect(JSON.parse(readFileSync(file, 'utf8').split('\n')[0]!).embedding).toHaveLength(2);
  const refused = async (content: string, ...more: string[]) => {
    writeFileSync(data, content);
    const run = await headwiseHere(['embed', '--model', out, '--data', data, ...more]);
    expect(run).toMatchObject({ code: 2, stdout: '' });
    return run.stderr;
  };
  expect(await refused(`${lines}{"text": "${'ab '.repeat(20)}"}\n`)).toMatch(
    /texts\.jsonl: example 4 has \d+ tokens; the model's context holds 16: shorten it, or give --truncate/,
  );
  expect(await refused('{"prompt": "a"}\n')).toContain('texts.jsonl:1:');
  expect(await refused(lines, '--pooling', 'sum')).toContain("pooling is 'sum'");
  expect(await refused(lines, '--adapter', out)).toContain('has no adapter_config.json');
  const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
  expect(dot(anchor!, own!)).toBeGreaterThan(dot(anchor!, other!));
});

test('a run over the limit is refused with what takes less, each as it is then planned', async () => {
  const planned = async (...more: string[]) => {
    const run = await headwiseHere(finetune('planned', '--method', 'sft', ...more));
    return run.code === 0 ? run.stdout : run.stderr;
  };
  const refused = await planned('--memory', '100kB', '--batch-size', '8');
  expect(refused).toMatch(
    /training needs .* at its peak \(\w+\); the limit is 100 kB\n {2}weights .*logits .*\nwhat takes less/,
  );
  const lines = [...refused.matchAll(/^ {2}(--.*?) {2,}(\d.*? [kM]B)(?:, which fits)?$/gm)];
  expect(lines.map(([, words]) => words)).toEqual([
    '--batch-size 1 --accumulate 8',
    '--checkpoint-activations',
    '--method lora',
    '--method qlora --dtype int8',
    '--method qlora --dtype int4',
  ]);
  expect(refused).toContain('none of them is enough: take a smaller model');
  expect(existsSync(join(work, 'planned'))).toBe(false);
  const [, words, size] = lines[1]!;
  const checkpointed = ['--batch-size', '1', '--accumulate', '8', String(words), '--steps', '1'];
  expect(await planned(...checkpointed)).toContain(`memory     ${size} at its peak`);
});

test('a run that is killed after a checkpoint makes the losses of one that is not, to the bit', async () => {
  const steps = ['--steps', '12', '--checkpoint-every', '2', '--lora-dropout', '0.1', '--resume'];
  expect(headwise(finetune('straight', ...steps)).code).toBe(0);
  const state = join(work, 'broken/trainer/state.safetensors');
  const moment = (async () => {
    while (!existsSync(state)) await setTimeout(2);
  })();
  await headwiseKilled(finetune('broken', ...steps), moment);
  expect(headwise(finetune('broken', ...steps))).toMatchObject({ code: 0, stderr: '' });
  expect(lossesOf(join(work, 'broken'))).toEqual(lossesOf(join(work, 'straight')));
});

test('examples share rows, and what is not packed is as without the option', async () => {
  const steps = ['--steps', '2', '--max-length', '45'];
  const run = async (out: string, ...more: string[]) => {
    const { code, stdout, stderr } = await headwiseHere(finetune(out, ...steps, ...more, '--json'));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return jsonLines(stdout).find(({ event }) => event === 'data') as Record<string, unknown>;
  };
  expect(await run('packed', '--packing', 'best-fit')).toMatchObject({ train: 5, rows: 5 });
  expect(await run('cut', '--packing', 'concatenate')).toMatchObject({ train: 5, rows: 4 });
  expect(await run('unpacked', '--packing', 'none')).not.toHaveProperty('rows');
  expect(await run('plain')).not.toHaveProperty('rows');
  expect(lossesOf(join(work, 'unpacked'))).toEqual(lossesOf(join(work, 'plain')));
  const other = finetune('packed', ...steps, '--packing', 'concatenate', '--resume');
  expect((await headwiseHere(other)).stderr).toMatch(/the run there has 'data' .*"best-fit"/);
});

test('a disk that is full while saving leaves the last checkpoint, from which the run goes on', async () => {
  const steps = ['--steps', '4', '--checkpoint-every', '2', '--resume'];
  const out = join(work, 'full');
  const state = join(out, 'trainer/state.safetensors');
  const full = await withFullDisk(
    () => existsSync(state),
    () => headwiseHere(finetune('full', ...steps)),
  );
  expect(full.code).toBe(1);
  expect(full.stderr).toContain('full: the last checkpoint is kept');
  expect(full.stderr).toMatch(/cannot be written: ENOSPC: no space left on device, write/);
  expect(lossesOf(out)).toHaveLength(2);
  expect(readdirSync(out).filter((name) => name.startsWith('.headwise'))).toEqual([]);
  expect((await headwiseHere(finetune('full', ...steps))).code).toBe(0);
  expect((await headwiseHere(finetune('roomy', ...steps))).code).toBe(0);
  expect(lossesOf(out)).toEqual(lossesOf(join(work, 'roomy')));
});

describe('what cannot be used is refused by name, and nothing is written', () => {
  const good = '{"prompt": "a", "completion": "b"}\n';
  const cases: [what: string, data: string | Uint8Array, expected: string][] = [
    ['an empty file', '', 'holds no text in its 0 bytes'],
    ['invalid UTF-8', Uint8Array.of(0x0a, 0x7b, 0xff), 'is not UTF-8 from byte 2 on, in line 2'],
    [
      'a file cut mid-line',
      `${good}{"prompt": "a", "comp`,
      ':2: {"prompt": "a", "comp is not JSON',
    ],
    ['a list', '[1]\n', ":1: [1] is not an example; expected an object a line with 'messages', or"],
    ['other keys', '{"instruction": "a"}\n', ':1: {"instruction":"a"} is not an example; expected'],
    [
      'a line of another format',
      `${good}{"text": "a"}\n`,
      `:2: {"text":"a"}: has 'text'; expected 'prompt' and 'completion'`,
    ],
    [
      'a number for a text',
      '{"prompt": 3, "completion": "b"}\n',
      `:1: {"prompt":3,"completion":"b"}: 'prompt' is 3; expected a text`,
    ],
    [
      'a chat without an answer',
      '{"messages": [{"role": "user", "content": "a"}]}\n',
      "'messages' has no message of the role 'assistant', so there is nothing to learn",
    ],
    [
      'a prompt beyond the longest example',
      `{"prompt": "${'xq'.repeat(80)}", "completion": "b"}\n`,
      'nothing is left to learn of 1 examples',
    ],
  ];
  test.each(cases)('%s', async (what, data, expected) => {
    const file = join(work, 'bad.jsonl');
    writeFileSync(file, data);
    const out = `bad ${what}`;
    const run = await headwiseHere(finetune(out, '--data', file, '--json'));
    expect(run.code).toBe(2);
    expect(run.stderr).toContain(expected);
    expect(existsSync(join(work, out))).toBe(false);
  });

  test.each([
    ['--method', 'sgd', "--method is 'sgd'; expected one of sft, lora"],
    ['--accumulate', '0', "'training.accumulate' is 0"],
    ['--learning-rate', '-1', "'training.learningRate' is -1"],
    ['--validation', '1', "'data.validation' is 1"],
    ['--targets', 'nothing', 'LoRA: no linear map matches'],
    ['--dtype', 'int4', '\'adapter.weights\' is "int4"'],
    ['--packing', 'best', '\'data.packing\' is "best"'],
    ['--masking', 'span', "unknown key 'data.masking'"],
    ['--scheduled-sampling', '0.5', "unknown key 'training.scheduledSampling'"],
    ['--model', work, 'config.json'],
  ])('%s %s', async (option, value, expected) => {
    const run = await headwiseHere(finetune('bad option', option, value));
    expect(run).toMatchObject({ code: 2 });
    expect(run.stderr).toContain(expected);
  });

  test('a run of other settings, or on other examples, is not gone on with', async () => {
    const out = 'begun';
    const steps = ['--steps', '2', '--resume'];
    expect((await headwiseHere(finetune(out, ...steps))).code).toBe(0);
    const seed = await headwiseHere(finetune(out, ...steps, '--seed', '1'));
    expect(seed.stderr).toContain("the run there has 'seed' 0; the configuration given has 1");
    const other = join(work, 'other.jsonl');
    writeFileSync(other, good);
    const data = await headwiseHere(finetune(out, ...steps, '--data', other));
    expect(data.stderr).toContain('the run there was trained on a text with the SHA-256');
    expect([seed.code, data.code]).toEqual([2, 2]);
  });
});
