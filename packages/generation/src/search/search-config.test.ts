import { expect, test } from 'vitest';
import { parseSearchConfig } from './search-config.js';

const parse = (config: unknown) => parseSearchConfig(config, 'generation_config.json');

test('beams, groups and phrases are settings of beamSearch, with the other options', () => {
  const config = {
    num_beams: 4,
    num_beam_groups: 2,
    diversity_penalty: 0.5,
    num_return_sequences: 3,
    length_penalty: 2,
    early_stopping: 'never',
    no_repeat_ngram_size: 3,
    eos_token_id: 2,
  };
  expect(parse(config).beams).toEqual({
    beams: 4,
    groups: 2,
    diversityPenalty: 0.5,
    returned: 3,
    lengthPenalty: 2,
    earlyStopping: 'never',
    sample: false,
    phrases: [],
    temperature: 0,
    noRepeatNgramSize: 3,
    stopIds: [2],
  });
  const drawn = parse({ num_beams: 2, do_sample: true, temperature: 0.7, top_k: null });
  expect(drawn.beams).toMatchObject({ beams: 2, sample: true, temperature: 0.7, topK: 50 });
  const forced = parse({
    num_beams: 3,
    force_words_ids: [
      [1, 2],
      [[3], [4, 5]],
    ],
  });
  expect(forced.beams).toMatchObject({
    beams: 3,
    phrases: [
      [1, 2],
      [[3], [4, 5]],
    ],
  });
  expect(forced.contrastive).toBeUndefined();
});

test('a penalty with top_k asks for contrastiveSearch; without either there is no search', () => {
  const { contrastive, beams } = parse({ penalty_alpha: 0.6, top_k: 4, repetition_penalty: 1.2 });
  expect(contrastive).toEqual({
    temperature: 0,
    repetitionPenalty: 1.2,
    candidates: 4,
    penalty: 0.6,
  });
  expect(beams).toBeUndefined();
  expect(parse({ penalty_alpha: 0.6 }).contrastive).toMatchObject({ candidates: 50 });
  const none = { num_beams: 1, penalty_alpha: 0, length_penalty: 2, top_k: 4 };
  expect(parse(none)).toEqual({
    options: { temperature: 0 },
    stopTexts: [],
    unknown: [],
    beams: undefined,
    contrastive: undefined,
  });
});

test('values of another type or range are refused, and what parseGenerationConfig refuses', () => {
  const refused: [unknown, string][] = [
    [null, 'the document is null; expected an object'],
    [{ num_beams: 0 }, "'num_beams' is 0; expected a whole number of at least 1"],
    [{ num_beams: 2, length_penalty: 'x' }, `'length_penalty' is "x"; expected a number`],
    [{ num_beams: 2, early_stopping: 1 }, "'early_stopping' is 1; expected true, false or 'never'"],
    [{ force_words_ids: [1] }, "'force_words_ids' is [1]; expected a list of phrases, each a list"],
    [{ num_return_sequences: 2 }, "'num_return_sequences' is 2; expected 1"],
    [{ num_beams: 2, guidance_scale: 'x' }, `'guidance_scale' is "x"; expected a number`],
    [{ do_sample: true, penalty_alpha: 0.6 }, "'penalty_alpha' is 0.6; expected 0"],
  ];
  for (const [config, message] of refused) expect(() => parse(config)).toThrow(message);
});
