import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { commit } from '@headwise/files';
import { expect, test } from 'vitest';
import { carriedFiles } from './carry.js';

function folderOf(files: readonly string[], content = 'of the model'): string {
  const folder = mkdtempSync(join(tmpdir(), 'headwise-carry-'));
  for (const file of files) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), content);
  }
  return folder;
}

const filesOf = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== 'headwise-manifest.json')
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();

/** The files that are written, and those that stand in the folder then. */
async function carry(from: string, to: string, adapter?: string): Promise<string[]> {
  const change = await carriedFiles(from, { adapter, to });
  await commit(to, change);
  return Object.keys(change.write);
}

const carried = [
  '1_Pooling/config.json',
  'README.md',
  'additional_chat_templates/tool_use.jinja',
  'chat_template.jinja',
  'generation_config.json',
  'merges.txt',
  'modules.json',
  'preprocessor_config.json',
  'special_tokens_map.json',
  'spiece.model',
  'tokenizer.json',
  'tokenizer_config.json',
  'vocab.json',
];
const left = [
  '.gitattributes',
  'checkpoint-100/trainer_state.json',
  'config.json',
  'flax_model.msgpack',
  'model-00001-of-00002.safetensors',
  'model.safetensors',
  'model.safetensors.index.json',
  'onnx/model.onnx',
  'original/consolidated.00.pth',
  'pytorch_model.bin',
  'pytorch_model.bin.index.json',
  'tf_model.h5',
  'trainer/run.json',
  'trainer/state.safetensors',
];

test('everything but weights is copied, links as their targets', async () => {
  const from = folderOf([...carried, ...left]);
  const blob = join(folderOf(['blob'], 'linked'), 'blob');
  symlinkSync(blob, join(from, 'vocab.txt'));
  symlinkSync(from, join(from, 'again'));
  const to = join(from, 'not', 'there');
  const files = await carry(from, to);
  expect(files.sort()).toEqual([...carried, 'vocab.txt'].sort());
  expect(filesOf(to)).toEqual([...carried, 'vocab.txt'].sort());
  expect(readFileSync(join(to, 'vocab.txt'), 'utf8')).toBe('linked');
});

test('what an earlier model has left of its tokenizer and generation is removed, and no more', async () => {
  const to = folderOf(['tokenizer.json', 'vocab.txt', 'generation_config.json', 'notes.txt']);
  await carry(folderOf(['tokenizer.json'], 'new'), to);
  expect(filesOf(to)).toEqual(['notes.txt', 'tokenizer.json']);
  expect(readFileSync(join(to, 'tokenizer.json'), 'utf8')).toBe('new');
});

test("an adapter's tokenizer takes the place of the model's, as a whole", async () => {
  const model = folderOf(['tokenizer.json', 'vocab.json', 'merges.txt', 'generation_config.json']);
  const own = ['tokenizer.json', 'tokenizer_config.json', 'chat_template.jinja'];
  const others = ['README.md', 'adapter_config.json', 'adapter_model.safetensors'];
  const to = folderOf([]);
  await carry(model, to, folderOf([...own, ...others], 'of the adapter'));
  expect(filesOf(to)).toEqual([...own, 'generation_config.json'].sort());
  expect(readFileSync(join(to, 'tokenizer.json'), 'utf8')).toBe('of the adapter');
  const without = folderOf([]);
  await carry(model, without, folderOf(others, 'of the adapter'));
  expect(filesOf(without)).toEqual(filesOf(model));
});

test('a folder in place of a file is named', async () => {
  const to = folderOf(['tokenizer.json/x.txt']);
  await expect(carry(folderOf(['tokenizer.json']), to)).rejects.toThrow(
    `${join(to, 'tokenizer.json')}: cannot be written: it is a folder`,
  );
});
