import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { goldenFolders } from '../node.js';
import { groupsOf, type ModelGroup } from './groups.js';

test('a configuration is in the group of its topology, and of the parts that it has', () => {
  expect(groupsOf({ model_type: 'gpt2' })).toEqual(['decoders']);
  expect(groupsOf({ model_type: 'bert' })).toEqual(['encoders']);
  expect(groupsOf({ model_type: 't5' })).toEqual(['encoder-decoders']);
  expect(groupsOf({ model_type: 'mixtral' })).toEqual(['decoders', 'experts']);
  expect(groupsOf({ model_type: 'vit' })).toEqual(['encoders', 'pictures']);
  const decoder = { model_type: 'gpt2', add_cross_attention: true };
  expect(groupsOf(decoder)).toEqual(['encoder-decoders']);
  const captions = {
    model_type: 'vision-encoder-decoder',
    encoder: { model_type: 'vit' },
    decoder,
  };
  expect(groupsOf(captions)).toEqual(['encoder-decoders', 'pictures']);
  expect(groupsOf({ model_type: 'whisper' })).toEqual(['encoder-decoders', 'sounds']);
  expect(() => groupsOf({ model_type: 'gpt9' })).toThrow('\'model_type\' is "gpt9"');
});

test("the goldens' groups are those that transformers' settings say", async () => {
  const all = (await goldenFolders()).map(({ name, path }) => {
    const settings = JSON.parse(readFileSync(join(path, 'config.json'), 'utf8'));
    return { name, settings, groups: groupsOf(settings) };
  });
  const inGroup = (group: ModelGroup) => all.filter(({ groups }) => groups.includes(group));
  const having = (...keys: string[]) =>
    all.filter(({ settings }) => keys.some((key) => settings[key] != null && settings[key]));
  const experts = having('num_local_experts', 'num_experts');
  expect(experts.length).toBeGreaterThan(2);
  expect(inGroup('experts')).toEqual(experts);
  const reads = (settings: Record<string, unknown>) => settings.image_size != null;
  expect(inGroup('pictures')).toEqual(
    all.filter(({ settings }) => reads(settings) || reads(settings.encoder ?? {})),
  );
  expect(inGroup('sounds')).toEqual(having('num_mel_bins'));
  expect(inGroup('encoder-decoders')).toEqual(having('is_encoder_decoder', 'add_cross_attention'));
  const scoring = /(LMHeadModel|ForCausalLM)$/;
  const decoders = inGroup('decoders').filter(({ settings }) =>
    scoring.test(settings.architectures),
  );
  const scored = all.filter(({ settings }) => scoring.test(settings.architectures));
  expect(decoders).toEqual(scored.filter(({ settings }) => !settings.add_cross_attention));
  for (const { name, groups } of all) {
    const topologies = groups.filter((group) => /coders$/.test(group));
    expect(topologies, name).toHaveLength(1);
  }
  const names = (await goldenFolders({ group: 'experts' })).map(({ name }) => name);
  expect(names).toEqual(experts.map(({ name }) => name));
  await expect(goldenFolders({ group: 'all' as 'decoders' })).rejects.toThrow(
    "goldenFolders: group is 'all'; expected one of decoders, encoders, encoder-decoders, experts",
  );
});
