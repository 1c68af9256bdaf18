import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { headwise, headwiseHere, jsonLines, temporaryFolder, writeConfig } from './headwise.js';

const work = temporaryFolder();
const model = join(work, 'run');
let trained: ReturnType<typeof headwise>;

beforeAll(() => {
  const config = writeConfig(work, (c) => {
    Object.assign(c, { samples: { prompt: 'the', temperatures: [0.5, 1], maxNewTokens: 8 } });
  });
  trained = headwise(['train', '--config', config, '--out', model, '--set', 'training.steps=40']);
});

test('train learns, validates, samples and leaves a model folder in the Hugging Face layout', () => {
  expect(trained.stderr).toBe('');
  expect(trained.code).toBe(0);
  const bits = [...trained.stdout.matchAll(/([\d.]+) bits per byte/g)].map(([, n]) => Number(n));
  expect(bits).toHaveLength(2);
  expect(bits[1]).toBeLessThan(bits[0]! - 0.5);
  expect(trained.stdout).toContain('temperature 0.5\nthe');
  expect(trained.stdout).toContain('headwise generate --model');
  expect(readdirSync(model).sort()).toEqual([
    'config.json',
    'generation_config.json',
    'headwise-manifest.json',
    'model.safetensors',
    'tokenizer.json',
    'trainer',
  ]);
  expect(readdirSync(join(model, 'trainer')).sort()).toEqual([
    'config.json',
    'corpus.json',
    'history.jsonl',
    'state-before.safetensors',
    'state.safetensors',
  ]);
  const config = JSON.parse(readFileSync(join(model, 'config.json'), 'utf8'));
  expect(config).toMatchObject({ model_type: 'gpt2', n_embd: 16, vocab_size: 280 });
});

test('train --resume on a complete run says so and changes no parameter', async () => {
  const before = readFileSync(join(model, 'model.safetensors'));
  const args = ['--config', join(work, 'config.json'), '--out', model, '--resume'];
  const again = await headwiseHere(['train', ...args, '--set', 'training.steps=40']);
  expect(again.code).toBe(0);
  expect(again.stdout).toContain('complete at step 40 of 40');
  expect(readFileSync(join(model, 'model.safetensors'))).toEqual(before);
});

test('train --json prints one value a line', async () => {
  const out = join(work, 'json');
  const train = ['train', '--config', join(work, 'config.json'), '--out', out, '--json'];
  const run = await headwiseHere(train);
  expect(run.code).toBe(0);
  const events = jsonLines(run.stdout);
  expect(events.filter(({ event }) => event === 'step')).toHaveLength(12);
  expect(events.at(-1)).toMatchObject({ event: 'done', folder: out });
});

test('generate is the same for the same seed, streamed or not, and ends the prompt', async () => {
  const args = ['generate', '--model', model, '--prompt', 'the whale', '--max-new-tokens', '20'];
  const first = await headwiseHere([...args, '--seed', '7']);
  expect(first.code).toBe(0);
  expect(first.stdout).toMatch(/^the whale/);
  expect((await headwiseHere([...args, '--seed', '7'])).stdout).toBe(first.stdout);
  expect((await headwiseHere([...args, '--seed', '7', '--stream'])).stdout).toBe(first.stdout);
  expect((await headwiseHere([...args, '--seed', '8'])).stdout).not.toBe(first.stdout);
  const json = JSON.parse((await headwiseHere([...args, '--seed', '7', '--json'])).stdout);
  expect(json.prompt + json.text).toBe(first.stdout.slice(0, -1));
  expect(json.ids).toHaveLength(20);
});

test('generate takes its prompt from a file or standard input, and needs one', async () => {
  const path = join(work, 'prompt.txt');
  writeFileSync(path, 'the whale\nsaw');
  const args = ['generate', '--model', model, '--max-new-tokens', '5'];
  const expected = (await headwiseHere([...args, '--prompt', 'the whale\nsaw'])).stdout;
  expect((await headwiseHere([...args, '--prompt-file', path])).stdout).toBe(expected);
  expect(headwise(args, 'the whale\nsaw').stdout).toBe(expected);
  expect(await headwiseHere([...args, '--prompt-file', join(work, 'none.txt')])).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/--prompt-file .*none\.txt: cannot be read: ENOENT/),
  });
  const both = await headwiseHere([...args, '--prompt', 'a', '--prompt-file', path]);
  expect(both.stderr).toMatch(/--prompt and --prompt-file are given; expected one of them/);
});

test('a text that is not UTF-8 is refused, in a file as on standard input', async () => {
  const bytes = Uint8Array.of(0x74, 0x68, 0x65, 0xff, 0xfe);
  const path = join(work, 'not-utf-8.txt');
  writeFileSync(path, bytes);
  const out = join(work, 'none.json');
  const tries: [string[], string][] = [
    [['generate', '--model', model], 'standard input'],
    [['generate', '--model', model, '--prompt-file', path], `--prompt-file ${path}`],
    [['tokenize', '--tokenizer', model], 'standard input'],
    [['tokenizer', 'train', path, '--out', out], path],
  ];
  for (const [args, name] of tries) {
    const stderr = `headwise: ${name}: is not UTF-8\n`;
    const given = name === 'standard input' ? headwise(args, bytes) : await headwiseHere(args);
    expect(given).toMatchObject({ code: 2, stdout: '', stderr });
  }
  expect(existsSync(out)).toBe(false);
});

test('generate ends and restricts tokens as generation_config.json says, or refuses a key by name', async () => {
  const folder = join(work, 'restricted');
  cpSync(model, folder, { recursive: true });
  const args = ['generate', '--model', folder, '--prompt', 'the whale', '--json'];
  const idsOf = async (config: object, ...more: string[]): Promise<number[]> => {
    writeFileSync(join(folder, 'generation_config.json'), JSON.stringify(config));
    return JSON.parse((await headwiseHere([...args, ...more])).stdout).ids;
  };
  const plain = await idsOf({ max_new_tokens: 12 });
  expect(plain).toHaveLength(12);
  const end = plain[7]!;
  const first = plain.indexOf(end);
  expect(await idsOf({ max_new_tokens: 12, eos_token_id: [279, end] })).toEqual(
    plain.slice(0, first),
  );
  expect(await idsOf({ max_new_tokens: 12 }, '--max-new-tokens', '3')).toEqual(plain.slice(0, 3));
  const config = {
    max_new_tokens: 12,
    suppress_tokens: plain.slice(0, 3),
    no_repeat_ngram_size: 1,
  };
  const other = await idsOf(config);
  expect(new Set(other).size).toBe(12);
  expect(other).not.toEqual(expect.arrayContaining(plain.slice(0, 1)));
  writeFileSync(join(folder, 'generation_config.json'), '{ "num_beams": 4, "chat_format": "x" }');
  expect(await headwiseHere(args)).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/generation_config\.json: 'num_beams' is 4; expected 1/),
  });
  const aside = await headwiseHere([...args, '--no-generation-config', '--max-new-tokens', '1']);
  expect(aside).toMatchObject({ code: 0, stderr: '' });
});

test('generate samples as generation_config.json says, unless told otherwise', async () => {
  const folder = join(work, 'greedy');
  cpSync(model, folder, { recursive: true });
  const path = join(folder, 'generation_config.json');
  const prompt = ['--prompt', 'the whale', '--max-new-tokens', '12'];
  const text = async (from: string, ...args: string[]) =>
    (await headwiseHere(['generate', '--model', from, ...prompt, ...args])).stdout;
  expect(await text(model)).toBe(await text(model, '--temperature', '0.8'));
  writeFileSync(path, '{ "do_sample": false }');
  expect(await text(folder)).toBe(await text(model, '--temperature', '0'));
  expect(await text(folder, '--temperature', '0.8')).toBe(await text(model));
  writeFileSync(path, '{ "do_sample": true, "top_p": 3 }');
  expect((await headwiseHere(['generate', '--model', folder, ...prompt])).stderr).toMatch(
    /generation_config\.json: 'top_p' is 3/,
  );
});

test('generate at temperature 0 takes the token that logits shows as best', async () => {
  const { ids } = JSON.parse(
    (
      await headwiseHere([
        'tokenize',
        '--tokenizer',
        join(model, 'tokenizer.json'),
        '--text',
        'the',
        '--json',
      ])
    ).stdout,
  );
  const shown = JSON.parse(
    (await headwiseHere(['logits', '--model', model, '--ids', ids.join(','), '--json'])).stdout,
  );
  expect(shown.shape).toEqual([ids.length, 280]);
  const last: number[] = shown.logits.at(-1);
  const best = last.indexOf(Math.max(...last));
  const args = ['--prompt', 'the', '--temperature', '0', '--max-new-tokens', '1', '--json'];
  expect(
    JSON.parse((await headwiseHere(['generate', '--model', model, ...args])).stdout).ids,
  ).toEqual([best]);
});

test('tokenize reads standard input, with offsets into the text', () => {
  const text = 'the sea — naïve\n';
  const run = headwise(['tokenize', '--tokenizer', join(model, 'tokenizer.json'), '--json'], text);
  expect(run.code).toBe(0);
  const { ids, tokens, offsets } = JSON.parse(run.stdout);
  expect(tokens).toHaveLength(ids.length);
  expect(offsets[0][0]).toBe(0);
  expect(offsets.at(-1)[1]).toBe(text.length);
});

test('eval measures what train measured', async () => {
  const corpus = readFileSync(join(work, 'corpus.txt'), 'utf8');
  const measure = ['eval', '--model', model, '--text', join(work, 'corpus.txt'), '--json'];
  const run = await headwiseHere(measure);
  expect(run.code).toBe(0);
  const measured = JSON.parse(run.stdout);
  // The first token is given, not predicted.
  expect(measured.bytes).toBeLessThan(Buffer.byteLength(corpus));
  expect(measured.bytes).toBeGreaterThan(Buffer.byteLength(corpus) - 10);
  expect(measured.perplexity).toBeCloseTo(Math.exp(measured.loss), 6);
  expect(measured.bitsPerByte).toBeCloseTo(
    (measured.loss * measured.tokens) / (measured.bytes * Math.LN2),
    9,
  );
});

/** The commands that a help lists, and those below them. */
async function commandsOf(...path: string[]): Promise<string[]> {
  const { code, stdout } = await headwiseHere([...path, '--help']);
  expect(code).toBe(0);
  expect(stdout).toContain(`Usage: ${['headwise', ...path].join(' ')}`);
  const [, listed = ''] = stdout.split('\nCommands:\n');
  const names = [...listed.matchAll(/^ {2}([a-z]+)/gm)].map(([, name]) => name!);
  const below = names.filter((name) => name !== 'help');
  if (below.length === 0) return [path.join(' ')];
  const all: string[] = [];
  for (const name of below) all.push(...(await commandsOf(...path, name)));
  return all;
}

test('every command has help, and a row in the README, which kinds of one share', async () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const [top] = readme.split('\n## ');
  const rows = top!.matchAll(/^\| `([a-z]+(?: [a-z]+)?)/gm);
  const commands = new Set([...rows].map(([, name]) => name!));
  const helped = (await commandsOf()).map((name) => name.split(' ').slice(0, 2).join(' '));
  expect([...new Set(helped)].sort()).toEqual([...commands].sort());
});

test('info names the backend', () => {
  const info = JSON.parse(headwise(['info', '--json']).stdout);
  expect(info).toMatchObject({ backend: 'cpu', adapter: null, software: true });
  expect(existsSync(model)).toBe(true);
});

test('a model with a padded vocabulary is usable: ids without a token have no text', async () => {
  const folder = join(work, 'padded');
  const set = ['--set', 'tokenizer.vocabSize=320', '--set', 'training.steps=2'];
  const config = ['--config', join(work, 'config.json'), '--out', folder];
  expect((await headwiseHere(['train', ...config, ...set])).code).toBe(0);
  cpSync(join(model, 'tokenizer.json'), join(folder, 'tokenizer.json'));
  // The folder is changed by hand.
  rmSync(join(folder, 'headwise-manifest.json'));
  const args = ['--model', folder, '--prompt', 'the', '--temperature', '50', '--json'];
  const made = await headwiseHere(['generate', ...args, '--max-new-tokens', '40']);
  expect(made.stderr).toBe('');
  const { ids, text } = JSON.parse(made.stdout) as { ids: number[]; text: string };
  expect(ids.some((id) => id >= 280)).toBe(true);
  expect(text).not.toContain('undefined');
  const page = join(work, 'padded.html');
  const inspected = await headwiseHere([
    'inspect',
    '--model',
    folder,
    '--text',
    'the sea',
    '--out',
    page,
  ]);
  expect(inspected).toMatchObject({ code: 0, stderr: '' });
  expect(readFileSync(page, 'utf8')).not.toContain('>undefined<');
  const measured = await headwiseHere([
    'eval',
    '--model',
    folder,
    '--text',
    join(work, 'corpus.txt'),
  ]);
  expect(measured).toMatchObject({ code: 0, stderr: '' });
});
