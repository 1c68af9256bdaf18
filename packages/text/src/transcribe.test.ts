import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs';
import { expect, test, vi } from 'vitest';
import golden from './goldens/transcription.json' with { type: 'json' };
import { load, type TranscribeOptions, transcribe } from './index.js';
import { languageCode } from './speech-languages.js';

const whisper = new URL('../../parity/goldens/whisper/', import.meta.url);
const weights = ['config.json', 'model.safetensors'].map(
  (name) => new File([readFileSync(new URL(name, whisper))], name),
);
const json = (name: string, content: unknown) => new File([JSON.stringify(content)], name);

const words = Array.from({ length: 31 }, (_, id) => (id < 30 ? `w${id}` : '<|notimestamps|>'));
words[20] = '<|endoftext|>';
const times = Array.from({ length: 22 }, (_, i) => `<|${(i / 50).toFixed(2)}|>`);
const special = (content: string, id: number, isSpecial: boolean) => ({
  ...{ id, content, special: isSpecial, normalized: false },
  ...{ single_word: false, lstrip: false, rstrip: false },
});
const tokenizerFile = json('tokenizer.json', {
  added_tokens: [
    ...[20, 30].map((id) => special(words[id]!, id, true)),
    ...times.map((time, i) => special(time, 31 + i, false)),
  ],
  model: {
    type: 'WordLevel',
    unk_token: 'w0',
    vocab: Object.fromEntries([...words, ...times].map((word, id) => [word, id])),
  },
});
// A window of 14 frames in place of half a minute.
const preprocessor = {
  ...{ feature_extractor_type: 'WhisperFeatureExtractor', feature_size: 5 },
  ...{ sampling_rate: 16_000, chunk_length: 0.14 },
};

const loaded = (changes: object = {}, files = [json('preprocessor_config.json', preprocessor)]) => {
  const settings = Object.entries({ ...golden.settings, ...changes });
  const given = Object.fromEntries(settings.filter(([, value]) => value !== null));
  const warn = vi.fn();
  const place = [...weights, ...files, tokenizerFile, json('generation_config.json', given)];
  return { warn, loading: load(place, { warn }) };
};

function soundOf([count, low, high, beats]: number[]): Float32Array {
  return Float32Array.from({ length: count! }, (_, i) => {
    const turn = (2 * Math.PI * i) / 16_000;
    const tone = Math.sin(turn * (low! + ((high! - low!) * i) / count! / 2));
    return tone * (0.5 + 0.4 * Math.sin(turn * beats!));
  });
}
const sounds = golden.sounds.map(soundOf);

const textOf = (ids: readonly number[]) =>
  ids
    .filter((id) => id < 30 && id !== 20)
    .map((id) => `w${id}`)
    .join(' ');

type Case = (typeof golden.cases)[number];
/** The cases of each change of settings, which are read with the folder. */
const grouped = new Map<string, Case[]>();
for (const each of golden.cases) {
  const key = JSON.stringify(each.changes);
  grouped.set(key, [...(grouped.get(key) ?? []), each]);
}

test.each([...grouped.values()])(
  "%#: sounds are written as by Whisper's own generate, window after window",
  async (...cases) => {
    const { warn, loading } = loaded(cases[0]!.changes);
    const { model, tokenizer } = await loading;
    expect(warn).not.toHaveBeenCalled();
    const before = tf.memory().numTensors;
    for (const { sound, options, segments, language } of cases) {
      const { return_timestamps: timestamps, max_new_tokens: maxNewTokens, ...named } = options;
      const given: TranscribeOptions = { ...named, timestamps, maxNewTokens };
      const made = await transcribe(model, tokenizer, sounds[sound]!, given);
      expect(made.segments.map(({ ids }) => ids)).toEqual(segments.map(({ ids }) => ids));
      for (const [i, { start, end, text, ids }] of made.segments.entries()) {
        expect(start).toBeCloseTo(segments[i]!.start, 9);
        expect(end).toBeCloseTo(segments[i]!.end, 9);
        expect(text).toBe(textOf(ids));
      }
      expect(made.text).toBe(textOf(segments.flatMap(({ ids }) => ids)));
      if (language) expect(made.language).toBe(language === 21 ? '<|en|>' : '<|fr|>');
    }
    expect(tf.memory().numTensors).toBe(before);
    model.params.dispose();
  },
);

test('languages have the names that transformers gives them', () => {
  expect(Object.entries(golden.languages)).toHaveLength(112);
  for (const [name, code] of Object.entries(golden.languages)) {
    expect(languageCode(name), name).toBe(code);
  }
  expect(languageCode('klingon')).toBeUndefined();
});

test('what a sound, a model or its folder does not have is refused by name', async () => {
  const { model, tokenizer } = await loaded().loading;
  const before = tf.memory().numTensors;
  const refused = (options: TranscribeOptions, more: object = {}, samples = sounds[2]!) =>
    expect(transcribe({ ...model, ...more }, tokenizer, samples, options)).rejects;
  await refused({ language: 'German' }).toThrow('language is "German"; expected one of en, fr');
  await refused({ language: 'constructor' }).toThrow('language is "constructor"');
  await refused({ task: 'sing' }).toThrow('task is "sing"; expected one of transcribe, translate');
  const english = { speech: { ...model.speech, multilingual: false } };
  await refused({ task: 'translate' }, english).toThrow(
    'task is "translate", and the model knows English alone; expected none',
  );
  await refused({ timestamps: false }, {}, sounds[0]!).toThrow(
    'timestamps is false, and the sound has 0.423375 seconds, more than a window',
  );
  const timeless = { speech: { ...model.speech, noTimestampsId: undefined } };
  await refused({ timestamps: true }, timeless).toThrow("has no 'no_timestamps_token_id'");
  await refused({ timestamps: true }, { generation: {} }).toThrow('the model has no end token');
  await refused({}, {}, new Float32Array()).toThrow('the sound has no samples');
  await refused({}, { speech: undefined }).toThrow('model.speech is missing');
  await refused({}, { speech: {} }).toThrow(/features is missing.*preprocessor_config.json/);
  await refused({}, { network: { ...model.network, frames: undefined } }).toThrow(
    'the model reads no sounds',
  );
  const aborted = await transcribe(model, tokenizer, sounds[0]!, { signal: AbortSignal.abort() });
  expect(aborted).toEqual({ text: '', segments: [], language: undefined });
  expect(tf.memory().numTensors).toBe(before);
  model.params.dispose();
});

test('a folder without settings of sounds loads, and one with settings that are not built does not', async () => {
  const { model } = await loaded({}, []).loading;
  expect(model.speech).toMatchObject({ noTimestampsId: 30, features: undefined });
  model.params.dispose();
  const refused = (changes: object) => expect(loaded(changes).loading).rejects;
  await refused({ no_speech_threshold: 0.6 }).toThrow(
    "generation_config.json: 'no_speech_threshold' is 0.6; expected null",
  );
  await refused({ condition_on_prev_tokens: true }).toThrow(/'condition_on_prev_tokens' is true/);
  await refused({ lang_to_id: { en: -1 } }).toThrow(/'lang_to_id' is .*; expected token ids/);
  await refused({ forced_decoder_ids: [[2, 3]] }).toThrow(/'forced_decoder_ids' is \[\[2,3\]\]/);
});
