import { rotaryFrequencies } from '@headwise/positions';
import { describe, expect, test } from 'vitest';
import { familyOf } from '../../families.js';
import { labelCount } from '../../fields.js';
import golden from '../../goldens/settings.json' with { type: 'json' };
import { readRope } from './rope.js';

type Read = Record<string, unknown>;

/** What we leave to be derived, as transformers writes it. */
const derived: Record<string, (config: Read) => unknown> = {
  head_dim: (c) => c.head_dim ?? Number(c.hidden_size) / Number(c.num_attention_heads),
  num_key_value_heads: (c) => c.num_key_value_heads ?? c.num_attention_heads,
  num_kv_heads: (c) => c.num_kv_heads ?? c.num_attention_heads,
  ffn_hidden_size: (c) => c.ffn_hidden_size ?? 4 * Number(c.hidden_size),
  num_decoder_layers: (c) => c.num_decoder_layers ?? c.num_layers,
  decoder_vocab_size: (c) => c.decoder_vocab_size ?? c.vocab_size,
  num_labels: (c) => labelCount(c as never),
  rope_theta: (c) => readRope(c as never, 2048, '').position.base,
  sliding_window: (c) => (c.use_sliding_window === false ? null : c.sliding_window),
  // A setting of Qwen2 alone.
  use_sliding_window: (c) => c.use_sliding_window ?? false,
  scale_decoder_outputs: (c) => c.scale_decoder_outputs ?? c.tie_word_embeddings,
};

const settingOf = (config: Read, key: string): unknown => {
  const of = derived[key];
  const isMistral = key === 'sliding_window' && config.model_type === 'mistral';
  return of && !isMistral ? of(config) : config[key];
};

const read = (family: string, given: Read): Read =>
  familyOf({ model_type: family }).parseConfig({ ...given, model_type: family }) as Read;

/** What transformers ties and we do not: T5's head, which is a matrix of its own until a file says otherwise. */
const elsewhere = (family: string, key: string) =>
  family.endsWith('t5') && ['tie_word_embeddings', 'dense_act_fn', 'is_gated_act'].includes(key);

describe("every setting in every place, and as null, is read as transformers' classes read it", () => {
  const defaults = new Map<string, Read>();
  for (const { family, given, expected } of golden.cases as {
    family: string;
    given: Read;
    expected: Read | null;
  }[]) {
    const [key, value] = Object.entries(given)[0] ?? [];
    if (key === undefined) defaults.set(family, expected!);
    test(`${family} ${JSON.stringify(given)}`, () => {
      const whole = defaults.get(family)!;
      if (value === null) return expectNull(family, key!, expected, whole);
      if (expected === null) {
        expect(() => read(family, given)).toThrow();
        return;
      }
      const config = read(family, given);
      for (const [name, theirs] of Object.entries({ ...whole, ...expected })) {
        if (theirs === null && config[name] == null) continue;
        if (!elsewhere(family, name)) expect(settingOf(config, name), name).toEqual(theirs);
        else if (name === key) expect(config[name], name).toEqual(value);
      }
    });
  }
});

/** Null is what transformers makes of it; where it refuses or keeps null, it is read as no, or as absent. */
function expectNull(family: string, key: string, expected: Read | null, whole: Read): void {
  const config = read(family, { [key]: null });
  if (expected === null || key === 'id2label' || elsewhere(family, key)) return;
  const theirs = key in expected ? expected[key] : whole[key];
  if (theirs !== null) expect(settingOf(config, key)).toEqual(theirs);
  else if (typeof whole[key] === 'boolean') expect(config[key]).toBeFalsy();
}

describe('rotary positions in every place are those of transformers', () => {
  for (const { given, frequencies } of golden.ropes) {
    test(JSON.stringify(given), () => {
      const settings = read('llama', {
        hidden_size: 16,
        num_attention_heads: 2,
        max_position_embeddings: 16,
        ...given,
      });
      const { position } = readRope(settings as never, 16, 'config.json');
      const { base = 0, scaling, trainedLength } = position;
      for (const { length, values, attentionFactor } of frequencies) {
        const ours = rotaryFrequencies(
          { rotaryDim: 8, base, maxLength: trainedLength },
          scaling,
          length,
        );
        expect(ours.attentionFactor).toBeCloseTo(attentionFactor, 6);
        for (const [i, value] of values.entries()) {
          expect(Math.abs(ours.frequencies[i]! / value - 1)).toBeLessThan(1e-5);
        }
      }
    });
  }
});
