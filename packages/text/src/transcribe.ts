import {
  type Encoded,
  type EncoderDecoderModel,
  InputError,
  isEncoderDecoder,
} from '@headwise/core';
import {
  encodedSources,
  type GenerateOptions,
  generateBatch,
  timestampRules,
} from '@headwise/generation';
import { type LogMelOptions, logMelFeatures } from '@headwise/models';
import type { Tokenizer } from '@headwise/tokenizers';
import * as tf from '@tensorflow/tfjs';
import { settingsOf, type TextModel, type TextSettings } from './generate-text.js';
import { type WrittenSegment, writtenSegments } from './speech-segments.js';
import type { SpeechSettings } from './speech-settings.js';
import { speechStart } from './speech-start.js';

/** Whisper, with what its folder says of generation and of speech. */
export interface SpeechModel extends TextModel {
  readonly speech?: SpeechSettings | undefined;
}

/** Options of a transcription, which win over the folder's. */
export interface TranscribeOptions
  extends Pick<
    GenerateOptions,
    'maxNewTokens' | 'temperature' | 'topK' | 'topP' | 'seed' | 'storage' | 'signal'
  > {
  /** What is spoken: a code (`en`), an English name (`english`) or a token (`<|en|>`); default the one that the model detects. */
  language?: string | undefined;
  /** `transcribe` writes what is said, `translate` writes it in English; default `transcribe` where a language is given, else the folder's. */
  task?: string | undefined;
  /** Whether times are written, and segments divided by them; default the folder's, and true for sounds longer than a window. */
  timestamps?: boolean | undefined;
}

/** A piece of a transcription. Times are in seconds. */
export interface TranscribedSegment {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  /** With those of times. */
  readonly ids: readonly number[];
}

/** What `transcribe` returns. */
export interface Transcription {
  readonly text: string;
  readonly segments: readonly TranscribedSegment[];
  /** The token of the language that it was written in, such as `<|en|>`; undefined for a model without languages. */
  readonly language: string | undefined;
}

/**
 * Writes what is said in a sound, with Whisper.
 *
 * A sound up to a window's length (30 seconds) is filled up with silence; a longer one is read window after window, each beginning
 * where the last segment of the one before ended: the sequential algorithm of transformers' `generate`, without earlier text as a prompt.
 * Windows are not drawn again at higher temperatures. Penalties of scores come behind the rules of times, not before as in transformers.
 *
 * @param samples in [−1, 1] of one channel, at the folder's rate (16,000 a second)
 * @throws InputError for a model without settings of speech, a language or task that it lacks, samples that are none or not finite, and
 * `timestamps: false` with a sound longer than a window
 * @see Radford et al. 2022, §3.8, https://arxiv.org/abs/2212.04356
 * @example
 * const { model, tokenizer } = await load('models/whisper-tiny');
 * const { text, segments } = await transcribe(model, tokenizer, samples, { language: 'en', timestamps: true });
 */
export async function transcribe(
  model: SpeechModel,
  tokenizer: Tokenizer,
  samples: Float32Array,
  options: TranscribeOptions = {},
): Promise<Transcription> {
  const { network, speech, features } = spoken(model);
  if (samples.length === 0) throw new InputError('transcribe: the sound has no samples');
  const { language = speech.language, task = speech.task, timestamps: asked, ...given } = options;
  const window = network.frames!.count;
  const { sampleRate = 16_000, hop = 160 } = features;
  const longer = samples.length >= (window + 1) * hop;
  const timestamps = asked ?? (longer || (speech.timestamps ?? false));
  checkTimestamps(timestamps, longer, speech, samples.length / sampleRate);
  const settings = settingsOf(model, given);
  const firstTime = (speech.noTimestampsId ?? network.vocabSize) + 1;
  const written: WrittenSegment[] = [];
  let startIds: number[] | undefined;
  let limit = settings.maxLength ?? network.maxLength;
  const sound = soundOf(samples, features, window * hop);
  try {
    const frames = sound.shape[1];
    for (let seek = 0; seek < frames && !options.signal?.aborted; ) {
      const encoded = encodedWindow(network, sound, seek);
      try {
        const detect = (ids: readonly number[]) => detected(network, encoded, ids);
        const wanted = { language, task, timestamps };
        startIds ??= await speechStart(network.startId, speech, wanted, detect);
        // As in transformers, each window adds its start to the limit of the last.
        limit = Math.min(limit + startIds.length, network.maxLength);
        const ids = await writtenIds(network, encoded, {
          ...windowSettings(settings, speech, startIds, timestamps),
          maxNewTokens: settings.maxNewTokens ?? limit - startIds.length,
        });
        // A time is two frames.
        const steps = Math.min(window, frames - seek) / 2;
        const { segments, advance } = writtenSegments(ids, { firstTime, steps });
        for (const { start, end, ids } of segments) {
          written.push({ start: start + seek / 2, end: end + seek / 2, ids });
        }
        // Times that go nowhere would be written for ever.
        seek += 2 * (advance > 0 ? advance : steps);
      } finally {
        encoded.states.dispose();
      }
    }
  } finally {
    sound.dispose();
  }
  const textOf = (ids: readonly number[]) => tokenizer.decode(ids.filter((id) => id < firstTime));
  const seconds = (steps: number) => (2 * steps * hop) / sampleRate;
  return {
    text: textOf(written.flatMap(({ ids }) => ids)),
    segments: written.map(({ start, end, ids }) => ({
      ...{ start: seconds(start), end: seconds(end), text: textOf(ids), ids },
    })),
    language: Object.entries(speech.languageIds ?? {}).find(([, id]) => id === startIds?.[1])?.[0],
  };
}

/** @throws InputError naming what a model lacks that hears */
function spoken({ network, speech }: SpeechModel): {
  network: EncoderDecoderModel;
  speech: SpeechSettings;
  features: LogMelOptions;
} {
  if (!isEncoderDecoder(network) || network.frames === undefined) {
    throw new InputError('transcribe: the model reads no sounds; expected a Whisper');
  }
  if (!speech?.features) {
    const lacking = speech ? 'preprocessor_config.json' : 'generation_config.json of a Whisper';
    throw new InputError(
      `transcribe: model.${speech ? 'speech.features' : 'speech'} is missing; expected a model that load reads from a folder with the ${lacking}`,
    );
  }
  return { network, speech, features: speech.features };
}

function checkTimestamps(
  timestamps: boolean,
  longer: boolean,
  { noTimestampsId }: SpeechSettings,
  seconds: number,
): void {
  if (longer && !timestamps) {
    throw new InputError(
      `transcribe: timestamps is false, and the sound has ${seconds} seconds, more than a window; expected true, as windows follow one another by their times`,
    );
  }
  if (timestamps && noTimestampsId === undefined) {
    throw new InputError(
      "transcribe: timestamps is true, and the folder's generation_config.json has no 'no_timestamps_token_id'; expected false",
    );
  }
}

/** The features of a sound: of a window, or of all of it where it is longer. @returns `[1, T, M]` */
function soundOf(samples: Float32Array, features: LogMelOptions, window: number): tf.Tensor3D {
  if (samples.length <= window) return logMelFeatures(samples, features);
  const { sampleRate = 16_000 } = features;
  // Half a sample keeps the product with the rate from falling below the whole number.
  return logMelFeatures(samples, { ...features, seconds: (samples.length + 0.5) / sampleRate });
}

/** The states of a window's frames; zeros follow where the sound ends. */
function encodedWindow(network: EncoderDecoderModel, sound: tf.Tensor3D, from: number): Encoded {
  const { count: window } = network.frames!;
  const frames = tf.tidy(() => {
    const count = Math.min(window, sound.shape[1] - from);
    return sound.slice([0, from, 0], [1, count, -1]).pad([
      [0, 0],
      [0, window - count],
      [0, 0],
    ]);
  });
  try {
    return network.encode(frames);
  } finally {
    frames.dispose();
  }
}

/** The language among some ids that is likeliest behind the start. */
async function detected(
  network: EncoderDecoderModel,
  encoded: Encoded,
  ids: readonly number[],
): Promise<number> {
  const logits = tf.tidy(() =>
    network.decode(tf.tensor2d([network.startId], [1, 1], 'int32'), encoded).flatten(),
  );
  const scores = await logits.data();
  logits.dispose();
  return ids.reduce((best, id) => (scores[id]! > scores[best]! ? id : best));
}

/** Options of generation for every window. */
function windowSettings(
  { stop: _, ...settings }: TextSettings,
  { noTimestampsId, latestFirst }: SpeechSettings,
  startIds: readonly number[],
  timestamps: boolean,
): GenerateOptions {
  if (!timestamps) return { ...settings, startIds };
  const { suppressIds, beginSuppressIds, stopIds = [], processors = [], ...others } = settings;
  const [endId] = stopIds;
  if (endId === undefined) {
    throw new InputError(
      'transcribe: timestamps is true, and the model has no end token; expected one in model.generation.stopIds',
    );
  }
  const rules = timestampRules({
    ...{ begin: startIds.length, noTimestampsId: noTimestampsId!, endId, latestFirst },
    ...{ suppressIds, beginSuppressIds },
  });
  return { ...others, stopIds, startIds, processors: [...processors, rules] };
}

async function writtenIds(
  network: EncoderDecoderModel,
  encoded: Encoded,
  options: GenerateOptions,
): Promise<number[]> {
  const { sequences } = await generateBatch(encodedSources(network, encoded), [[0]], options);
  return sequences[0]!.tokens.map(({ id }) => id);
}
