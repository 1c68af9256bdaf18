import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { commit } from '@headwise/files';
import { expect, test } from 'vitest';
import { template, trainChatModel } from './chat-model.js';
import {
  headwiseHere,
  lossesOf,
  type TinyConfig,
  temporaryFolder,
  writeConfig,
} from './headwise.js';

const work = temporaryFolder();
const { model, chats } = await trainChatModel(work);
const shards = join(work, 'shards');
const corpus = join(work, 'corpus.txt');
{
  const documents = join(work, 'documents.jsonl');
  const lines = readFileSync(corpus, 'utf8').split('\n');
  writeFileSync(documents, lines.map((text) => `${JSON.stringify({ text })}\n`).join(''));
  const tokenize = [
    'data',
    'tokenize',
    documents,
    '--tokenizer',
    model,
    '--no-end',
    '--out',
    shards,
  ];
  expect(await headwiseHere(tokenize)).toMatchObject({ code: 0 });
}

/** The command ends with 2 and says why in one message; where it has not begun, it leaves no folder. */
async function expectRefused(args: readonly string[], says: string | RegExp): Promise<string> {
  const { code, stderr } = await headwiseHere(args);
  if (says instanceof RegExp) expect(stderr).toMatch(says);
  else expect(stderr).toContain(says);
  expect(stderr).not.toMatch(/\n\s+at /);
  expect(code).toBe(2);
  return stderr;
}

/** A file with this content. */
function file(name: string, content: string | Uint8Array): string {
  const path = join(work, name);
  writeFileSync(path, content);
  return path;
}

/** A copy of a folder in which a file holds something else. */
function changed(from: string, name: string, change: (bytes: Buffer) => string | Uint8Array) {
  const folder = join(work, `changed ${name.replaceAll('/', ' ')} ${count++}`);
  cpSync(from, folder, { recursive: true });
  writeFileSync(join(folder, name), change(readFileSync(join(folder, name))));
  // Its hashes are those of what was there.
  rmSync(join(folder, 'headwise-manifest.json'), { force: true });
  return folder;
}
let count = 0;

const inJson = (change: (json: never) => void) => (bytes: Buffer) => {
  const json = JSON.parse(bytes.toString());
  change(json as never);
  return JSON.stringify(json);
};

type Row = [what: string, change: (config: TinyConfig) => void, says: string | RegExp];

/** A run that reads shards. */
const reads = (config: TinyConfig, folder: string) => {
  config.data = { shards: folder, validation: 0.1 };
  delete (config as Partial<TinyConfig>).tokenizer;
};
const sets = (part: Record<string, unknown>) => (config: TinyConfig) =>
  void Object.assign(config.training, part);

/** Writes ids into the tokens of a shard. */
const withIds = (first: number, ids: Uint16Array) =>
  changed(shards, 'shards/00000.ds', (bytes) => {
    new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2).set(ids, first);
    return bytes;
  });
const tokens = readFileSync(join(shards, 'shards/00000.ds')).length / 2;

const ofTraining: Row[] = [
  [
    'shards without a token',
    (config) => {
      const none = inJson((manifest: Record<string, unknown>) => {
        Object.assign(manifest, { shards: [], tokens: 0, documents: 0, bytes: 0 });
      });
      reads(config, changed(shards, 'shards.json', none));
    },
    /'data\.shards' .*: has 0 tokens here, expected at least 17: a window of 16 and the token after it/,
  ],
  [
    'a manifest of shards that is cut off',
    (config) =>
      reads(
        config,
        changed(shards, 'shards.json', (bytes) => bytes.subarray(0, 80)),
      ),
    /shards\.json: is not JSON/,
  ],
  [
    'a shard that is cut off',
    (config) =>
      reads(
        config,
        changed(shards, 'shards/00000.ds', (bytes) => bytes.subarray(0, -6)),
      ),
    /00000\.ds: ends at byte \d+, expected at least \d+/,
  ],
  [
    'a shard with an id outside the vocabulary',
    (config) => reads(config, withIds(tokens - 40, Uint16Array.of(280))),
    `00000.ds: token ${tokens - 40} has the id 280, expected a whole number below the vocabulary size 280`,
  ],
  [
    'a text that is not UTF-8',
    ({ data }) => {
      data.corpus = file('latin1.txt', Buffer.from('the sea\nthe s\xe9a\n', 'latin1'));
    },
    'latin1.txt: is not UTF-8 from byte 14 on, in line 2',
  ],
  ['accumulation', sets({ accumulate: 0 }), "unknown key 'training.accumulate'"],
  ['a batch of no rows', sets({ batchSize: 0 }), "'training.batchSize' is 0"],
  ['a negative rate', sets({ learningRate: -1 }), "'training.learningRate' is -1"],
  ['a negative last rate', sets({ minLearningRate: -1 }), "'training.minLearningRate' is -1"],
  [
    'a negative factor of AdamW',
    sets({ optimizer: 'muon', adamwRate: -1 }),
    "'training.adamwRate' is -1",
  ],
  ['a negative decay', sets({ weightDecay: -0.1 }), "'training.weightDecay' is -0.1"],
];

test.each(ofTraining)('train refuses %s', async (what, change, says) => {
  const config = writeConfig(join(work, what), change);
  const out = join(work, `out of ${what}`);
  await expectRefused(['train', '--config', config, '--out', out], says);
  expect(existsSync(out)).toBe(false);
});

test('an id outside the vocabulary that a later step reads ends the run before the step, with its checkpoint', async () => {
  const out = join(work, 'late');
  // All that is trained on, and nothing of what is measured on.
  const wrong = withIds(0, new Uint16Array(Math.floor(0.9 * tokens) - 1).fill(999));
  const run = ['train', '--out', out, '--resume', '--config'];
  const good = writeConfig(join(work, 'good'), (config) => {
    reads(config, shards);
    sets({ steps: 4, checkpointEvery: 2 })(config);
  });
  expect(await headwiseHere([...run, good])).toMatchObject({ code: 0, stderr: '' });
  const before = readFileSync(join(out, 'model.safetensors'));
  const bad = writeConfig(join(work, 'bad'), (config) => {
    reads(config, wrong);
    sets({ steps: 40, checkpointEvery: 2 })(config);
  });
  const said = await expectRefused(
    [...run, bad],
    /00000\.ds: token \d+ has the id 999, expected a whole number below the vocabulary size 280/,
  );
  expect(said).toContain(`headwise: ${out}: the last checkpoint is kept\n`);
  expect(readFileSync(join(out, 'model.safetensors'))).toEqual(before);
  expect(lossesOf(out)).toHaveLength(4);
});

test('a checkpoint of another architecture is refused, whether its run says so or not', async () => {
  const config = writeConfig(join(work, 'rotary'), (given) => {
    given.model = { dim: 16, heads: 2, layers: 1, context: 64, position: 'rotary' };
  });
  const out = join(work, 'other');
  cpSync(model, out, { recursive: true });
  const resume = ['train', '--config', config, '--out', out, '--resume'];
  await expectRefused(
    [...resume, '--set', 'model.layers=2'],
    /has 'model' .*"layers":1.*"layers":2/,
  );
  const wide = join(work, 'wide');
  const made = ['train', '--config', config, '--out', wide, '--set', 'model.dim=24'];
  expect(await headwiseHere(made)).toMatchObject({ code: 0 });
  const state = 'trainer/state.safetensors';
  await commit(out, { write: { [state]: readFileSync(join(wide, state)) } });
  await expectRefused(
    resume,
    /state\.safetensors: tensor 'params\.\S+' is F32 \[\d+, 24\]; the model needs F32 \[\d+, 16\]/,
  );
  expect(readFileSync(join(out, 'model.safetensors'))).toEqual(
    readFileSync(join(model, 'model.safetensors')),
  );
});

const finetune = (out: string, ...more: string[]) => [
  ...['finetune', '--model', model, '--data', chats, '--out', out],
  ...['--method', 'lora', '--batch-size', '2', '--steps', '2', ...more],
];
const good = '{"prompt": "a", "completion": "b"}\n';
const golden = (name: string) =>
  readFileSync(new URL(`../../../packages/data/src/goldens/${name}.parquet`, import.meta.url));

const ofExamples: [what: string, data: string | Uint8Array, says: string, more?: string[]][] = [
  ['an empty file', '', 'holds no text in its 0 bytes'],
  ['invalid UTF-8', Uint8Array.of(0x0a, 0x7b, 0xff), 'is not UTF-8 from byte 2 on, in line 2'],
  ['a file cut mid-line', `${good}{"prompt": "a", "comp`, ':2: {"prompt": "a", "comp is not JSON'],
  [
    'a Parquet file that is cut off',
    golden('messages-snappy').subarray(0, 300),
    'cannot be read as Parquet',
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
    'a label that is not one',
    '{"prompt": "a", "completion": "b", "label": true}\n{"prompt": "a", "completion": "b", "label": 2}\n',
    `:2: {"prompt":"a","completion":"b","label":2}: 'label' is 2; expected true or false`,
    ['--method', 'kto'],
  ],
  [
    'a chat without an answer',
    `${readFileSync(chats, 'utf8')}{"messages": [{"role": "user", "content": "a"}]}\n`,
    'bad.jsonl:7: {"messages":[{"role":"user","content":"a"}]}: \'messages\' has no message of the role \'assistant\', so there is nothing to learn',
  ],
  [
    'a prompt beyond the longest example',
    `{"prompt": "${'xq'.repeat(80)}", "completion": "b"}\n`,
    'nothing is left to learn of 1 examples',
  ],
  [
    'masked tokens of a decoder',
    '{"text": "a"}\n',
    "mlm: the tokenizer has no token '[MASK]' or '<mask>'",
    ['--method', 'mlm'],
  ],
  [
    'pairs for a decoder',
    good,
    'seq2seq: the model is not an encoder-decoder; expected one such as T5 or BART',
    ['--method', 'seq2seq'],
  ],
];

test.each(ofExamples)('finetune refuses %s', async (what, data, says, more = []) => {
  const out = join(work, `out of ${what}`);
  await expectRefused(finetune(out, '--data', file('bad.jsonl', data), '--json', ...more), says);
  expect(existsSync(out)).toBe(false);
});

/** A model whose tokenizer has a token that the table of the model has no row for. */
const tokenizerOfMoreTokens = () =>
  changed(
    model,
    'tokenizer.json',
    inJson((tokenizer: { added_tokens: object[] }) => {
      const flags = { special: false, normalized: false, single_word: false };
      const strips = { lstrip: false, rstrip: false };
      tokenizer.added_tokens.push({ id: 280, content: '<more>', ...strips, ...flags });
    }),
  );
/** A model whose template writes what comes last alone, so that no turn is found in the whole. */
const templateWithoutMarks = () =>
  changed(
    model,
    'chat_template.jinja',
    () => '{{ messages[-1].role[0] }}:{{ messages[-1].content }};',
  );
const templateCutOff = () => changed(model, 'chat_template.jinja', () => template.slice(0, -12));

const ofOptions: [option: string, value: string | (() => string), says: string | RegExp][] = [
  ['--method', 'sgd', "--method is 'sgd'; expected one of pretrain, sft"],
  ['--precision', 'half', '\'training.precision\' is "half"'],
  ['--precision', 'mixed', "finetune: precision is 'mixed', and the backend is 'cpu'"],
  ['--accumulate', '0', "'training.accumulate' is 0"],
  ['--batch-size', '0', "'training.batchSize' is 0"],
  ['--learning-rate', '-1', "'training.learningRate' is -1"],
  ['--weight-decay', '-0.1', "'training.weightDecay' is -0.1"],
  ['--max-norm', '-1', "'training.maxNorm' is -1"],
  ['--validation', '1', "'data.validation' is 1"],
  ['--targets', 'nothing', 'LoRA: no linear map matches'],
  ['--dtype', 'int4', '\'adapter.weights\' is "int4"'],
  ['--packing', 'best', '\'data.packing\' is "best"'],
  ['--masking', 'span', "unknown key 'data.masking'"],
  ['--scheduled-sampling', '0.5', "unknown key 'training.scheduledSampling'"],
  ['--model', work, 'config.json'],
  [
    '--model',
    tokenizerOfMoreTokens,
    'the tokenizer has 281 tokens, the model 280; expected the tokenizer of the model',
  ],
  [
    '--model',
    templateWithoutMarks,
    /example 1: .*chat_template\.jinja: has no \{% generation %\} marks, and writes the chat up to message \d differently when more follows; expected marks around the assistant's text/,
  ],
  ['--model', templateCutOff, /chat_template\.jinja: cannot be read: line 1: /],
];

for (const [option, value, says] of ofOptions) {
  test(`finetune refuses ${option} ${typeof value === 'string' ? value : value.name}`, async () => {
    const out = join(work, `out of option ${count++}`);
    await expectRefused(finetune(out, option, typeof value === 'string' ? value : value()), says);
    expect(existsSync(out)).toBe(false);
  });
}

test('a run of other settings, of another model, or on other examples, is not gone on with', async () => {
  const out = join(work, 'begun');
  const resume = (...more: string[]) => finetune(out, '--resume', ...more);
  expect((await headwiseHere(resume())).code).toBe(0);
  await expectRefused(
    resume('--seed', '1'),
    "the run there has 'seed' 0; the configuration given has 1",
  );
  await expectRefused(
    resume('--data', file('other.jsonl', good)),
    'the run there was trained on a text with the SHA-256',
  );
  await expectRefused(
    resume('--model', join(work, 'wide')),
    /the run there has 'base' "[\da-f]{64}"; the configuration given has "[\da-f]{64}"/,
  );
});

test('an adapter of another architecture is refused by every command that takes one', async () => {
  const adapter = join(work, 'begun');
  const wide = join(work, 'wide');
  const commands = [
    ['generate', '--prompt', 'the', '--max-new-tokens', '1'],
    ['convert', '--out', join(work, 'merged')],
    ['embed', '--data', file('texts.jsonl', '{"text": "a"}\n')],
  ];
  for (const command of commands) {
    await expectRefused(
      [...command, '--model', wide, '--adapter', adapter],
      /adapter_config\.json: tensor '\S+lora_A\.weight' has shape \[16, 16\]; expected \[16, 24\]/,
    );
  }
  const config = writeConfig(join(work, 'learned'));
  const learned = join(work, 'gpt2');
  expect(await headwiseHere(['train', '--config', config, '--out', learned])).toMatchObject({
    code: 0,
  });
  await expectRefused(
    ['generate', '--model', learned, '--adapter', adapter, '--prompt', 'the'],
    /adapter_config\.json: 'target_modules' is .*; no linear map of the model has this name/,
  );
  expect(existsSync(join(work, 'merged'))).toBe(false);
});
