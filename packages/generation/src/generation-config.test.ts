import type { LanguageModel } from '@headwise/core';
import { describe, expect, test, vi } from 'vitest';
import { parseGenerationConfig } from './generation-config.js';
import golden from './goldens/generation-keys.json' with { type: 'json' };

const parse = (config: unknown) => parseGenerationConfig(config, 'generation_config.json');

describe('parseGenerationConfig', () => {
  test('without do_sample it is greedy, and what shapes draws does not count', () => {
    const config = { temperature: 0.7, top_k: 5, top_p: 0.9, min_p: 0.1, typical_p: 0.2 };
    expect(parse(config)).toEqual({ options: { temperature: 0 }, stopTexts: [], unknown: [] });
    expect(parse({ do_sample: false, repetition_penalty: 1.2 }).options).toEqual({
      temperature: 0,
      repetitionPenalty: 1.2,
    });
  });

  test('with do_sample top_k is 50 as in transformers, unless the file says otherwise', () => {
    expect(parse({ do_sample: true }).options).toEqual({ topK: 50 });
    expect(parse({ do_sample: true, top_k: null }).options).toEqual({ topK: 50 });
    expect(parse({ do_sample: true, top_k: 0 }).options).toEqual({
      topK: Number.POSITIVE_INFINITY,
    });
    expect(parse({ do_sample: true, temperature: 0.6, top_p: 0.9, min_p: 0.05 }).options).toEqual({
      topK: 50,
      temperature: 0.6,
      topP: 0.9,
      minP: 0.05,
    });
  });

  test('null counts as absent, for every key', () => {
    const keys = ['eos_token_id', 'num_beams', 'max_length', 'bad_words_ids', 'top_p', 'do_sample'];
    const config = Object.fromEntries(keys.map((key) => [key, null]));
    expect(parse(config)).toEqual({ options: { temperature: 0 }, stopTexts: [], unknown: [] });
  });

  test('what is not supported is refused by name unless it changes nothing', () => {
    const neutral = {
      num_beams: 1,
      num_return_sequences: 1,
      length_penalty: 0.5,
      early_stopping: true,
      guidance_scale: 1.0,
      remove_invalid_values: false,
      use_cache: false,
      renormalize_logits: true,
      pad_token_id: 3,
    };
    expect(parse(neutral)).toEqual({ options: { temperature: 0 }, stopTexts: [], unknown: [] });
    const refused: [object, string][] = [
      [
        { num_beams: 4 },
        "'num_beams' is 4; expected 1: call beamSearch with what parseSearchConfig returns",
      ],
      [
        { do_sample: true, num_return_sequences: 3 },
        "'num_return_sequences' is 3; expected 1: call beamSearch with what parseSearchConfig returns for several beams; for several samples, generateBatch",
      ],
      [{ penalty_alpha: 0.6 }, "'penalty_alpha' is 0.6; expected 0"],
      [{ do_sample: true, top_h: 0.4 }, "'top_h' is 0.4; expected null"],
      [{ remove_invalid_values: true }, "'remove_invalid_values' is true; expected false"],
      [{ watermarking_config: {} }, "'watermarking_config' is {}"],
    ];
    for (const [config, message] of refused) {
      expect(() => parse(config)).toThrow(`generation_config.json: ${message}`);
    }
  });

  test('values of another type or range are refused, also where they do not count', () => {
    const refused: [unknown, string][] = [
      [[], 'the document is []; expected an object'],
      [{ do_sample: 'yes' }, `'do_sample' is "yes"; expected true or false`],
      [{ top_p: 3 }, "'top_p' is 3; expected 0 < top_p ≤ 1"],
      [{ eos_token_id: 1.5 }, "'eos_token_id' is 1.5; expected a token id or a list of them"],
      [{ eos_token_id: ['1'] }, `'eos_token_id' is ["1"]`],
      [{ max_length: 0 }, "'max_length' is 0; expected a whole number of at least 1"],
      [{ bad_words_ids: [[]] }, "'bad_words_ids' is [[]]; expected a list of lists of token ids"],
      [{ suppress_tokens: 3 }, "'suppress_tokens' is 3; expected a list of token ids"],
      [{ forced_eos_token_id: 'end' }, `'forced_eos_token_id' is "end"; expected a token id or a`],
      [{ sequence_bias: [[[1], '2']] }, 'expected a list of pairs of token ids and a bias'],
      [
        { dola_layers: 'middle' },
        `'dola_layers' is "middle"; expected 'low', 'high', or a list of`,
      ],
      [{ exponential_decay_length_penalty: 3 }, 'is 3; expected a start and a factor'],
      [{ typical_p: 0 }, "'typical_p' is 0; expected 0 < typical_p ≤ 1"],
      [{ epsilon_cutoff: 1 }, "'epsilon_cutoff' is 1; expected 0 ≤ epsilon_cutoff < 1"],
      [{ max_new_tokens: 'x'.repeat(1000) }, `'max_new_tokens' is "xxx`],
    ];
    for (const [config, message] of refused) expect(() => parse(config)).toThrow(message);
  });

  test('end tokens are one id or several; a negative one means none', () => {
    const stopIds = (eos_token_id: unknown) => parse({ eos_token_id }).options.stopIds;
    expect(stopIds(7)).toEqual([7]);
    expect(stopIds([7, 9])).toEqual([7, 9]);
    expect(stopIds(-1)).toEqual([]);
    expect(stopIds(null)).toBeUndefined();
  });

  test('stop strings are a text or several, and a time is in seconds', () => {
    expect(parse({ stop_strings: 'End' }).stopTexts).toEqual(['End']);
    expect(parse({ stop_strings: ['.', '\n'], max_time: 1.5 })).toEqual({
      options: { temperature: 0, maxTime: 1500 },
      stopTexts: ['.', '\n'],
      unknown: [],
    });
    expect(() => parse({ stop_strings: [''] })).toThrow(`'stop_strings' is [""]; expected a text`);
  });

  test('assisted decoding is speculation', () => {
    const prompt = [5, 6, 7, 8, 9, 6, 7];
    const draft = (config: object) => {
      const drafter = parse(config).options.speculation!.start({} as LanguageModel);
      return drafter.draft(prompt, 7);
    };
    expect(draft({ prompt_lookup_num_tokens: 10 })).toEqual([8, 9, 6, 7]);
    expect(draft({ prompt_lookup_num_tokens: 2, max_matching_ngram_size: 1 })).toEqual([8, 9]);
    expect(parse({ max_matching_ngram_size: 3, num_assistant_tokens: 20 }).options).toEqual({
      temperature: 0,
    });
    const { speculation } = parse({ assistant_early_exit: 2 }).options;
    const firstLayers = vi.fn(() => ({}) as LanguageModel);
    speculation!.start({ firstLayers } as unknown as LanguageModel);
    expect(firstLayers).toHaveBeenCalledWith(2);
    expect(() => parse({ prompt_lookup_num_tokens: 0 })).toThrow("'prompt_lookup_num_tokens' is 0");
    expect(() => parse({ assistant_ensemble_weight: 0.5 })).toThrow(
      "'assistant_ensemble_weight' is 0.5; expected null: speculation changes no token",
    );
  });

  test('every key of transformers is honoured, refused by name, or known to change no token', () => {
    const leftAside: string[] = [];
    for (const key of golden.keys) {
      // No key takes this value and does nothing with it.
      try {
        const { options, stopTexts, unknown } = parse({ do_sample: true, [key]: 'x' });
        expect(unknown, `${key} has no decision`).toEqual([]);
        if (Object.keys(options).length === 1 && stopTexts.length === 0) leftAside.push(key);
      } catch (error) {
        expect((error as Error).message).toContain(`'${key}' is "x"`);
      }
    }
    expect(leftAside).toMatchInlineSnapshot(`
      [
        "_from_model_config",
        "assistant_confidence_threshold",
        "assistant_lookbehind",
        "bos_token_id",
        "cache_config",
        "cache_implementation",
        "compile_config",
        "continuous_batching_config",
        "decoder_start_token_id",
        "disable_compile",
        "early_stopping",
        "is_assistant",
        "length_penalty",
        "low_memory",
        "max_cache_len",
        "num_assistant_tokens",
        "num_assistant_tokens_schedule",
        "output_attentions",
        "output_hidden_states",
        "output_logits",
        "output_scores",
        "pad_token_id",
        "prefill_chunk_size",
        "renormalize_logits",
        "return_dict_in_generate",
        "speculation_type",
        "target_lookbehind",
        "transformers_version",
        "use_cache",
        "use_mtp",
      ]
    `);
  });

  test('unknown keys are reported', () => {
    expect(parse({ chat_format: 'chatml', constructor: 1 }).unknown).toEqual([
      'chat_format',
      'constructor',
    ]);
  });
});
