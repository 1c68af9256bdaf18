import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs';
import { expect, onTestFinished, test } from 'vitest';
import { loadEmbeddingModel as loadChosen } from './index.js';
import {
  type EmbeddingModel,
  type EmbedOptions,
  embed,
  loadAny,
  loadEmbeddingModel,
} from './node.js';

interface Case {
  readonly files: Readonly<Record<string, string>>;
  readonly binary: Readonly<Record<string, string>>;
  readonly vectors: readonly {
    readonly options: Readonly<Record<string, unknown>>;
    readonly vectors: number[][];
  }[];
}

const golden = JSON.parse(
  readFileSync(new URL('goldens/sentences.json', import.meta.url), 'utf8'),
) as { texts: string[]; tokenizer: object; cases: Record<string, Case> };
const bert = fileURLToPath(new URL('../../parity/goldens/bert', import.meta.url));
const dense = golden.cases['two poolings, a projection and prompts']!;

/** A folder as sentence-transformers saved it, around the weights of the tiny BERT. */
function folderOf(
  files: Readonly<Record<string, string>>,
  binary: Readonly<Record<string, string>> = {},
) {
  const folder = mkdtempSync(join(tmpdir(), 'headwise-sentences-'));
  const write = (name: string, content: string | Uint8Array) => {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  };
  for (const [name, text] of Object.entries(files)) write(name, text);
  for (const [name, base64] of Object.entries(binary)) write(name, Buffer.from(base64, 'base64'));
  write('tokenizer.json', JSON.stringify(golden.tokenizer));
  for (const name of ['config.json', 'model.safetensors']) {
    symlinkSync(join(bert, name), join(folder, name));
  }
  return folder;
}

async function loaded(...given: Parameters<typeof folderOf>) {
  const found = await loadEmbeddingModel(folderOf(...given));
  onTestFinished(() => found.model.params.dispose());
  return found;
}

/** The options of `SentenceTransformer.encode` in ours. */
const optionsOf = (given: Readonly<Record<string, unknown>>): EmbedOptions => ({
  truncate: true,
  promptName: given.prompt_name as string | undefined,
  prompt: given.prompt as string | undefined,
  dimensions: given.truncate_dim as number | undefined,
});

test.each(Object.entries(golden.cases))(
  'vectors of texts are those of sentence-transformers: %s',
  async (_, { files, binary, vectors }) => {
    const { model, tokenizer } = await loaded(files, binary);
    const before = tf.memory().numTensors;
    for (const { options, vectors: expected } of vectors) {
      const found = await embed(model, tokenizer, golden.texts, optionsOf(options));
      for (const [n, vector] of found.entries()) {
        expect(vector.length).toBe(expected[n]!.length);
        const furthest = Math.max(...vector.map((x, i) => Math.abs(x - expected[n]![i]!)));
        expect(furthest, `${golden.texts[n]} ${JSON.stringify(options)}`).toBeLessThan(1e-5);
      }
    }
    expect(tf.memory().numTensors).toBe(before);
  },
);

test('loadAny reads an encoder with the same settings', async () => {
  const { model } = await loadAny(folderOf(dense.files, dense.binary));
  onTestFinished(() => model.params.dispose());
  const { embedding } = model as EmbeddingModel;
  expect(embedding).toMatchObject({
    pooling: ['mean', 'cls'],
    normalize: true,
    maxLength: 8,
    prompts: { query: 'w7 w8 ' },
  });
});

test('a folder that a person chose in a browser is the same, with the folders in it', async () => {
  const folder = folderOf(dense.files, dense.binary);
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => statSync(join(folder, path)).isFile())
    .map((path) => {
      const file = new File([readFileSync(join(folder, path))], path.split('/').at(-1)!);
      return Object.defineProperty(file, 'webkitRelativePath', { value: `minilm/${path}` });
    });
  const { model, tokenizer } = await loadChosen(files);
  onTestFinished(() => model.params.dispose());
  const [vector] = await embed(model, tokenizer, golden.texts.slice(0, 1));
  const [expected] = dense.vectors[0]!.vectors;
  for (const [i, x] of vector!.entries()) expect(x).toBeCloseTo(expected![i]!, 5);
});

test('options win over the folder, and what does not fit is refused by name', async () => {
  const { model, tokenizer } = await loaded(dense.files, dense.binary);
  const call = (options: EmbedOptions, text = 'w9') => embed(model, tokenizer, [text], options);
  const [unit] = await call({});
  const [raw] = await call({ normalize: false });
  const length = Math.hypot(...raw!);
  expect(length).not.toBeCloseTo(1, 3);
  for (const [i, x] of raw!.entries()) expect(x / length).toBeCloseTo(unit![i]!, 5);
  const long = 'w5 w6 w7 w8 w9 w10 w11';
  await expect(call({}, long)).rejects.toThrow("has 9 tokens; the model's context holds 8");
  await expect(call({ promptName: 'passage' })).rejects.toThrow(
    "promptName is 'passage'; the model's prompts: ",
  );
  await expect(call({ promptName: 'query', prompt: 'a' })).rejects.toThrow('both given');
  for (const dimensions of [0, 8, 1.5]) {
    await expect(call({ dimensions })).rejects.toThrow('expected a whole number from 1 to 7');
  }
});

test('what a folder says and cannot be honoured is refused by file and key', async () => {
  const modules = JSON.parse(dense.files['modules.json']!) as { type: string; path: string }[];
  const refusal = (changed: Record<string, unknown>) => {
    const texts = Object.entries(changed).map(([name, json]) => [name, JSON.stringify(json)]);
    return loadEmbeddingModel(
      folderOf({ ...dense.files, ...Object.fromEntries(texts) }, dense.binary),
    );
  };
  const refused: [Record<string, unknown>, string][] = [
    [{ 'modules.json': {} }, 'modules.json: {}; expected a list of modules'],
    [
      { 'modules.json': [modules[0], { type: 'a.LSTM', path: '1_LSTM' }] },
      'the modules are Transformer, LSTM; expected Transformer',
    ],
    [
      { 'modules.json': [{ ...modules[0], path: '0_Transformer' }, modules[1]] },
      "expected Transformer with the path ''",
    ],
    [{ 'modules.json': [modules[0], { ...modules[1], path: '..' }] }, '../config.json: is missing'],
    [{ '1_Pooling/config.json': { pooling_mode: 'median' } }, 'pooling_mode is "median"'],
    [{ '1_Pooling/config.json': { pooling: 'mean' } }, "key 'pooling' is not known"],
    [{ '1_Pooling/config.json': { include_prompt: false } }, 'include_prompt is false'],
    [
      {
        '2_Dense/config.json': { in_features: 40, out_features: 7, activation_function: 'x.Mish' },
      },
      'activation_function "Mish"; expected sizes, and one of Identity, Tanh',
    ],
    [{ '2_Dense/config.json': { in_features: 40, out_features: 5 } }, 'linear.weight'],
  ];
  for (const [changed, message] of refused) {
    await expect(refusal(changed), message).rejects.toThrow(message);
  }
});
