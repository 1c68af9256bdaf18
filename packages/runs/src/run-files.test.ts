import { expect, test } from 'vitest';
import { parseRunConfig } from './parse-run-config.js';
import { checkCorpus, type RunSnapshot, readSnapshot, snapshotFiles } from './run-files.js';

const bytes = (text: string) => new TextEncoder().encode(text);
const snapshot: RunSnapshot = {
  config: parseRunConfig({
    model: { dim: 8, heads: 2, layers: 1, context: 4 },
    tokenizer: { kind: 'character' },
    data: { corpus: 'a.txt' },
    training: { steps: 2 },
  }),
  corpus: 'a'.repeat(64),
  history: [{ step: 0, validation: { loss: 3.5, bitsPerByte: 5 } }],
  tokenizer: bytes('{}'),
  state: Uint8Array.of(1, 2, 3),
};

const opened = (files: Record<string, string | Uint8Array>) => async (name: string) => {
  const content = files[name];
  return typeof content === 'string' ? bytes(content) : content;
};

test('the files of a run are read as they were written', async () => {
  const files = snapshotFiles(snapshot);
  expect(await readSnapshot(opened(files), 'run')).toEqual(snapshot);
  const { 'trainer/corpus.json': _, 'trainer/history.jsonl': __, ...rest } = files;
  const without = { ...snapshot, corpus: undefined, history: [] };
  expect(await readSnapshot(opened(rest), 'run')).toEqual(without);
});

test('a folder that is not that of a run with a checkpoint is refused, naming the file', async () => {
  const files = snapshotFiles(snapshot);
  for (const name of ['trainer/config.json', 'trainer/state.safetensors', 'tokenizer.json']) {
    const { [name]: _, ...rest } = files;
    await expect(readSnapshot(opened(rest), 'run')).rejects.toThrow(
      `run: has no ${name}; expected the folder of a run with a checkpoint`,
    );
  }
  const broken = opened({ ...files, 'trainer/config.json': '{' });
  await expect(readSnapshot(broken, 'run')).rejects.toThrow(
    'run/trainer/config.json: is not JSON: ',
  );
});

test('a run that was begun on another text is refused, with both hashes', () => {
  checkCorpus('run', undefined, 'b', "'data.corpus' a.txt");
  checkCorpus('run', 'b', 'b', "'data.corpus' a.txt");
  expect(() => checkCorpus('run', 'a', 'b', "'data.corpus' a.txt")).toThrow(
    "run: the run there was trained on a text with the SHA-256 a; 'data.corpus' a.txt has b",
  );
});
