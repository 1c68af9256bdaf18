import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import {
  headwise,
  headwiseHere,
  type TinyConfig,
  temporaryFolder,
  writeConfig,
} from './headwise.js';

const work = temporaryFolder();
const model = join(work, 'model');

/** Every file below a folder with its bytes. */
function snapshot(folder: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [path, readFileSync(path, 'base64')]),
  );
}

/** The command says why in one message, ends with 2, and leaves every file as it was. */
async function expectRefused(
  args: readonly string[],
  messages: readonly (string | RegExp)[],
): Promise<void> {
  const before = snapshot(work);
  const { code, stdout, stderr } = await headwiseHere(args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  for (const message of messages) expect(stderr).toMatch(message);
  expect(stderr).not.toMatch(/\n\s+at /);
  expect(snapshot(work)).toEqual(before);
}

beforeAll(async () => {
  const config = writeConfig(join(work, 'good'));
  const { code, stderr } = await headwiseHere(['train', '--config', config, '--out', model]);
  expect(stderr).toBe('');
  expect(code).toBe(0);
});

describe('train refuses', () => {
  const cases: Record<string, [(config: TinyConfig) => void, (string | RegExp)[]]> = {
    'an unknown key': [
      ({ model }) => Object.assign(model, { head: 2 }),
      [/config\.json: unknown key 'model\.head'/],
    ],
    'a wrong type': [
      ({ training }) => Object.assign(training, { steps: 'many' }),
      [/config\.json: 'training\.steps' is "many": .*expected number/],
    ],
    'a dim that heads do not divide': [
      ({ model }) => Object.assign(model, { dim: 16, heads: 3 }),
      [/config\.json: 'model\.dim' 16 is not divisible by 'model\.heads' 3/],
    ],
    'a model that no memory holds': [
      ({ model }) => Object.assign(model, { dim: 1e8, heads: 1 }),
      [/'model': the model has \d+ parameters, .* bytes\) held 4 times in float32; available: /],
    ],
    'a batch that no memory holds': [
      ({ training }) => Object.assign(training, { batchSize: 1e9 }),
      [/'training\.batchSize' 1000000000 windows .* need at least .* a step; available: /],
    ],
    'a missing corpus': [
      ({ data }) => Object.assign(data, { corpus: join(work, 'nowhere.txt') }),
      [/nowhere\.txt: cannot be read/],
    ],
    'an empty corpus': [
      ({ data }) => {
        writeFileSync(join(work, 'empty.txt'), '');
        Object.assign(data, { corpus: join(work, 'empty.txt') });
      },
      [/empty\.txt: holds no text in its 0 bytes/],
    ],
    'a corpus shorter than one window': [
      ({ data, tokenizer }) => {
        writeFileSync(join(work, 'short.txt'), 'a b c d e f g h i j k l m n o p q r s t\n');
        Object.assign(data, { corpus: join(work, 'short.txt'), validation: 0.2 });
        Object.assign(tokenizer, { vocabSize: 256 });
      },
      [/'data\.corpus' .*short\.txt, validation part .* has 8 tokens, expected at least 17/],
    ],
    'a prompt of samples that is longer than the context': [
      (config) => Object.assign(config, { samples: { prompt: 'the whale saw '.repeat(40) } }),
      [/the prompt has \d+ tokens; the model's context holds 16/],
    ],
    'a least learning rate above the learning rate': [
      ({ training }) => Object.assign(training, { minLearningRate: 1 }),
      [/'training\.minLearningRate' 1 is more than 'training\.learningRate' 0\.01/],
    ],
    'a package that is not installed': [
      ({ data }) => Object.assign(data, { corpus: 'npm:no-such-package-here' }),
      [/npm:no-such-package-here.*not installed/],
    ],
  };
  for (const [name, [change, messages]] of Object.entries(cases)) {
    test(name, async () => {
      const config = writeConfig(join(work, name.replaceAll(' ', '-')), change);
      await expectRefused(['train', '--config', config, '--out', join(work, 'out')], messages);
    });
  }

  test('an output folder that cannot be written', async () => {
    const config = writeConfig(join(work, 'unwritable'));
    writeFileSync(join(work, 'file'), 'not a folder');
    const out = join(work, 'file', 'run');
    await expectRefused(['train', '--config', config, '--out', out], [/file\/run: .*ENOTDIR/]);
  });

  test('a folder that holds other files, or a run without --resume, or another run', async () => {
    const config = writeConfig(join(work, 'other'));
    mkdirSync(join(work, 'full'));
    writeFileSync(join(work, 'full', 'thesis.txt'), 'years of work');
    await expectRefused(
      ['train', '--config', config, '--out', join(work, 'full')],
      [/full: is not empty and holds no training run/],
    );
    await expectRefused(['train', '--config', config, '--out', model], [/give --resume/]);
    await expectRefused(
      ['train', '--config', config, '--out', model, '--resume', '--set', 'model.dim=32'],
      [/'model' .*"dim":16.*"dim":32/],
    );
    const own = join(work, 'good', 'config.json');
    const resume = ['train', '--config', own, '--out', model, '--resume'];
    await expectRefused(
      [...resume, '--set', 'training.seed=9'],
      [/'training\.seed' 3; the configuration given has 9/],
    );
    await expectRefused(['train', '--config', config, '--out', ''], [/--out is ''/]);
  });

  test('broken JSON, a missing file, a --set of another form', async () => {
    writeFileSync(join(work, 'broken.json'), '{"model": ');
    const out = ['--out', join(work, 'out')];
    await expectRefused(
      ['train', '--config', join(work, 'broken.json'), ...out],
      [/broken\.json: is not JSON/],
    );
    await expectRefused(
      ['train', '--config', join(work, 'none.json'), ...out],
      [/none\.json: cannot be read/],
    );
    writeFileSync(join(work, 'null.json'), 'null');
    await expectRefused(
      ['train', '--config', join(work, 'null.json'), ...out, '--set', 'model.dim=4'],
      [/null\.json: the document is null/],
    );
    const config = writeConfig(join(work, 'set'));
    await expectRefused(
      ['train', '--config', config, ...out, '--set', 'training.steps'],
      [/--set 'training\.steps' is not of the form path=value/],
    );
  });

  test('a backend that cannot be had', async () => {
    const config = writeConfig(join(work, 'backend'));
    await expectRefused(
      ['train', '--config', config, '--out', join(work, 'out'), '--backend', 'webgl'],
      [/--backend is 'webgl'; expected one of webgpu, wasm, cpu/],
    );
  });

  test('mixed precision on a backend without it', async () => {
    const config = writeConfig(join(work, 'mixed'));
    await expectRefused(
      [
        ...['train', '--config', config, '--out', join(work, 'out'), '--backend', 'cpu'],
        ...['--set', 'training.precision=mixed'],
      ],
      [/precision is 'mixed', and the backend is 'cpu'; expected 'float32', or WebGPU/],
    );
  });
});

describe('generate and logits refuse', () => {
  test('a prompt longer than the context', async () => {
    const prompt = 'the whale saw the sea. '.repeat(40);
    await expectRefused(
      ['generate', '--model', model, '--prompt', prompt],
      [/the prompt has \d+ tokens; the model's context holds 16/],
    );
  });

  test('ids outside the vocabulary, and what is not an id', async () => {
    await expectRefused(
      ['logits', '--model', model, '--ids', '1,280'],
      [/id 280 at position 1 is outside the vocabulary of 280 tokens/],
    );
    await expectRefused(['logits', '--model', model, '--ids', '1,x'], [/'x' is not a token id/]);
  });

  test('options out of range', async () => {
    const args = ['generate', '--model', model, '--prompt', 'the'];
    await expectRefused([...args, '--top-p', '0'], [/topP is 0; expected 0 < topP ≤ 1/]);
    await expectRefused([...args, '--top-k', '0'], [/topK is 0/]);
    await expectRefused([...args, '--temperature', '-1'], [/temperature is -1/]);
    await expectRefused([...args, '--seed', 'x'], [/'x' is not a whole number/]);
    await expectRefused([...args, '--unknown'], [/unknown option '--unknown'/]);
  });

  test('a token that the tokenizer has and the model does not', async () => {
    const folder = join(work, 'mismatch');
    mkdirSync(folder);
    for (const file of ['config.json', 'model.safetensors']) {
      writeFileSync(join(folder, file), readFileSync(join(model, file)));
    }
    const tokenizer = JSON.parse(readFileSync(join(model, 'tokenizer.json'), 'utf8'));
    const added = { id: 280, content: '<more>', special: false, normalized: false };
    const flags = { single_word: false, lstrip: false, rstrip: false };
    tokenizer.added_tokens.push({ ...added, ...flags });
    writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(tokenizer));
    const args = ['generate', '--model', folder, '--max-new-tokens', '2', '--prompt'];
    await expectRefused(
      [...args, 'the<more>'],
      [/id 280 at position \d+ is outside the vocabulary of 280 tokens/],
    );
    expect(await headwiseHere([...args, 'the'])).toMatchObject({ code: 0, stderr: '' });
  });

  test('a folder without a tokenizer', async () => {
    const folder = join(work, 'no-tokenizer');
    mkdirSync(folder);
    for (const file of ['config.json', 'model.safetensors']) {
      writeFileSync(join(folder, file), readFileSync(join(model, file)));
    }
    const asked: string[][] = [
      ['generate', '--model', folder, '--prompt', 'the'],
      ['eval', '--model', folder, '--text', join(work, 'good', 'corpus.txt')],
      ['inspect', '--model', folder, '--text', 'the', '--out', join(work, 'page.html')],
      ['tokenize', '--tokenizer', folder, '--text', 'the'],
      ['tokenize', '--tokenizer', join(folder, 'tokenizer.json'), '--text', 'the'],
    ];
    for (const args of asked) {
      await expectRefused(args, [
        /no-tokenizer: has no tokenizer\.json; expected one, .*save_pretrained/,
      ]);
    }
  });

  test('a folder that is not there', async () => {
    await expectRefused(
      ['logits', '--model', join(work, 'nowhere'), '--ids', '1'],
      [/nowhere\/config\.json: is missing/],
    );
  });
});

test('a message stays readable however long what was given is', async () => {
  const long = 'x'.repeat(120_000);
  const config = writeConfig(join(work, 'long'), ({ model }) => {
    Object.assign(model, { dim: long.repeat(10), heads: Array(50_000).fill('many') });
  });
  const train = ['train', '--config', config, '--out', join(work, 'out')];
  const cases = [
    train,
    [...train, '--set', long],
    ['generate', '--model', model, '--prompt', 'the', '--top-k', long],
    ['logits', '--model', model, '--ids', long],
    ['logits', '--model', long, '--ids', '1'],
    [long],
  ];
  for (const args of cases) {
    const { code, stderr } = await headwiseHere(args);
    expect(code).toBe(2);
    expect(stderr.length).toBeLessThan(10_000);
    expect(stderr).not.toMatch(/\n\s+at /);
  }
});

describe('a model file that lies is refused', () => {
  /** A copy of the model whose weights are other bytes. */
  function withWeights(name: string, bytes: Uint8Array): string {
    const folder = join(work, name);
    mkdirSync(folder);
    for (const file of ['config.json', 'tokenizer.json']) {
      writeFileSync(join(folder, file), readFileSync(join(model, file)));
    }
    writeFileSync(join(folder, 'model.safetensors'), bytes);
    return folder;
  }

  /** A file with a header of this text and some bytes of data. */
  function withHeader(header: string, bytes: number, length = Buffer.byteLength(header)): Buffer {
    const prefix = Buffer.alloc(8);
    prefix.writeBigUInt64LE(BigInt(length));
    return Buffer.concat([prefix, Buffer.from(header), Buffer.alloc(bytes)]);
  }

  const entry = (dtype: string, begin: number, end: number) =>
    `{"dtype":"${dtype}","shape":[2],"data_offsets":[${begin},${end}]}`;
  const files: Record<string, [() => Uint8Array, RegExp]> = {
    'cut short': [
      () => readFileSync(join(model, 'model.safetensors')).subarray(0, -100),
      /model\.safetensors: .*\d+.*\d+/,
    ],
    'of 100 bytes of noise': [() => Buffer.alloc(100, 0xa5), /model\.safetensors: .*header/],
    'whose header is longer than the file': [() => withHeader('{}', 0, 5000), /5000/],
    'whose tensors overlap': [
      () => withHeader(`{"a":${entry('F32', 0, 8)},"b":${entry('F32', 4, 12)}}`, 12),
      /"b": data begins at byte 4, but the tensor before it ends at 8/,
    ],
    'whose offsets leave the buffer': [
      () => withHeader('{"a":{"dtype":"F32","shape":[200],"data_offsets":[0,800]}}', 8),
      /"a": .*800.*8/,
    ],
    'of an unknown dtype': [
      () => withHeader(`{"a":${entry('F99', 0, 8)}}`, 8),
      /"a": dtype is "F99"/,
    ],
    'with one name twice': [
      () => withHeader(`{"a":${entry('F32', 0, 8)},"a":${entry('F32', 8, 16)}}`, 16),
      /"a": stands twice/,
    ],
  };
  for (const [name, [bytes, message]] of Object.entries(files)) {
    test(name, async () => {
      const folder = withWeights(name.replaceAll(' ', '-'), bytes());
      await expectRefused(
        ['logits', '--model', folder, '--ids', '1'],
        [/model\.safetensors/, message],
      );
    });
  }
});

test('a refusal ends a true start with its message and its code', () => {
  for (const [args, message] of [
    [['logits', '--model', join(work, 'nowhere'), '--ids', '1'], /config\.json: is missing/],
    [['train'], /required option '--config <file>' not specified/],
  ] as const) {
    const { code, stdout, stderr } = headwise(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
  }
});

test('input is refused before a backend is started', async () => {
  // No driver, so that starting WebGPU would be the error.
  const drivers = ['VK_DRIVER_FILES', 'VK_ICD_FILENAMES'];
  for (const name of drivers) process.env[name] = join(work, 'no-driver.json');
  onTestFinished(() => {
    for (const name of drivers) delete process.env[name];
  });
  const nowhere = join(work, 'nowhere');
  const page = join(nowhere, 'page.html');
  const some = join(work, 'some');
  const missing = /nowhere\/config\.json: is missing/;
  const noFolder = /--out .*nowhere\/page\.html: cannot be written: there is no folder .*nowhere/;
  const cases: [string[], RegExp][] = [
    [['logits', '--model', nowhere, '--ids', '1'], missing],
    [['generate', '--model', model, '--prompt', 'the', '--top-p', '2'], /topP is 2/],
    [['eval', '--model', model, '--text', nowhere], /nowhere: cannot be read/],
    [['inspect', '--model', model, '--text', 'the', '--out', page], noFolder],
    [['convert', '--model', nowhere, '--out', some], missing],
    [['convert', '--model', model, '--out', model], /is the folder of --model/],
    [
      ['convert', '--model', model, '--out', some, '--adapter', nowhere],
      /--adapter '.*nowhere': has no adapter_config\.json; expected a LoRA adapter/,
    ],
    [['verify', '--model', nowhere], missing],
    [['verify', '--out', page], noFolder],
  ];
  for (const [args, message] of cases) {
    await expectRefused([...args, '--backend', 'webgpu'], [message]);
  }
  await expectRefused(
    ['tokenizer', 'train', join(work, 'good', 'corpus.txt'), '--out', page],
    [noFolder],
  );
  if (process.platform === 'linux') {
    const good = ['logits', '--model', model, '--ids', '1', '--backend', 'webgpu'];
    expect(headwise(good).stderr).toMatch(/backend 'webgpu' cannot be started/);
  }
}, 240_000);
