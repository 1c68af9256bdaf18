import { z } from 'zod';
import { size } from '../fields.js';
import { parseWith } from '../parse-with.js';
import type { LogMelOptions } from './log-mel.js';

/** Keys that say how sounds are padded and what is returned beside the features. */
const schema = z.looseObject({
  feature_extractor_type: z.literal('WhisperFeatureExtractor').default('WhisperFeatureExtractor'),
  feature_size: size.default(80),
  sampling_rate: size.default(16_000),
  hop_length: size.default(160),
  n_fft: size.default(400),
  chunk_length: z.number().positive().default(30),
  // Variants that are not built: refused, not ignored.
  padding_value: z.literal(0).default(0),
  dither: z.literal(0).default(0),
  do_normalize: z.literal(false).nullish(),
});

/**
 * The options of {@link logMelFeatures} in a folder's `preprocessor_config.json`.
 *
 * @param json the parsed file
 * @throws InputError naming the key, what it holds and what was expected
 * @example
 * logMelSettings({ feature_size: 128 }); // { mels: 128, sampleRate: 16000, window: 400, hop: 160, seconds: 30 }
 */
export function logMelSettings(
  json: unknown,
  name = 'preprocessor_config.json',
): Required<LogMelOptions> {
  const settings = parseWith(schema, json, name);
  return {
    mels: settings.feature_size,
    sampleRate: settings.sampling_rate,
    window: settings.n_fft,
    hop: settings.hop_length,
    seconds: settings.chunk_length,
  };
}
