import { expect, test } from 'vitest';
import { applies, configKeys, settingOf } from './differences.js';
import { presets } from './presets.js';
import { type GroupName, parseRunConfig, type RunConfig } from './run-config.js';
import { configProblems, settings, withoutUnused } from './settings.js';

const text = parseRunConfig({
  data: { source: 'moby-dick' },
  training: { optimizer: 'muon' },
});
const task = parseRunConfig({ data: { source: 'copy' } });

function withValue(config: RunConfig, group: GroupName, key: string, value: unknown): RunConfig {
  return { ...config, [group]: { ...config[group], [key]: value } } as RunConfig;
}

test('every number of every form is refused outside its limits, and runs as it is within them', () => {
  for (const group of Object.keys(settings) as GroupName[]) {
    for (const { key, choices, flag, limits } of settings[group]) {
      if (choices || flag) continue;
      const base = applies([group, key], text) ? text : task;
      const { min = 0, max = 0, whole, optional } = limits;
      const bad = [min - 1, max + 1, Number.NaN, ...(whole ? [min + 0.5] : [])];
      if (!optional) bad.push(undefined as never);
      for (const value of bad) {
        const problems = configProblems(withValue(base, group, key, value));
        expect(problems[0]?.key, `${key} ${value}`).toEqual([group, key]);
      }
      const good = withValue(base, group, key, settingOf(base, [group, key]));
      expect(configProblems(good)).toEqual([]);
    }
  }
});

test('what the form shows is what runs, key by key', () => {
  for (const { config } of presets) {
    const runs = parseRunConfig(withoutUnused(config));
    for (const key of configKeys) {
      if (applies(key, config)) expect(settingOf(runs, key)).toEqual(settingOf(config, key));
    }
  }
});

test('a value that the form does not show does not matter', () => {
  const hidden = withValue(task, 'data', 'vocabSize', Number.NaN);
  expect(configProblems(hidden)).toEqual([]);
  expect(parseRunConfig(withoutUnused(hidden))).toEqual(task);
});

test('inconsistent values are refused, not changed', () => {
  const steep = withValue(text, 'training', 'learningRate', 1e-4);
  expect(configProblems(steep)).toEqual([
    {
      key: ['training', 'minLearningRate'],
      title: 'Last learning rate',
      message: 'At most the learning rate, 0.0001.',
    },
  ]);
  expect(() => parseRunConfig({ training: { learningRate: 1e-4, minLearningRate: 0.1 } })).toThrow(
    "'training.minLearningRate' 0.1 is more than 'training.learningRate' 0.0001",
  );
  expect(parseRunConfig({ training: { learningRate: 1e-4 } }).training.minLearningRate).toBe(1e-4);
  expect(configProblems(withValue(text, 'model', 'heads', 3))[0]!.message).toContain(
    "'model.dim' 64 is not divisible by 'model.heads' 3",
  );
});
