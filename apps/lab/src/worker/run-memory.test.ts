import { readFileSync } from 'node:fs';
import { parseRunConfig, planRun, prepareData } from '@headwise/runs';
import { expect, test } from 'vitest';
import { configOfRunFile } from '../model/run-file.js';
import { runMemory } from './run-memory.js';

const text = 'Call me Ishmael. Some years ago, never mind how long precisely. '.repeat(200);
const read = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../../cli/configs/${name}.json`, import.meta.url), 'utf8'));

const task = {
  model: { dim: 32, heads: 2, layers: 2 },
  data: { task: 'reverse', length: 6 },
  training: { steps: 2, batchSize: 16 },
};
const files = { 'moby-dick.json': read('moby-dick'), 'a task': task };
for (const [name, json] of Object.entries(files)) {
  test(`the lab plans the memory of ${name} as headwise train does`, async () => {
    if (json.tokenizer) json.tokenizer.vocabSize = 290;
    const file = parseRunConfig(json);
    const { tokenizer } = await prepareData(file, { text });
    const { peak } = await planRun(file, tokenizer);
    expect(peak).toBeGreaterThan(1e5);
    expect(await runMemory(configOfRunFile(json), tokenizer.vocabSize)).toEqual({ bytes: peak });
  });
}
