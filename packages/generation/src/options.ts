import type { CacheStorage } from '@headwise/decoding';
import type { SamplingOptions } from '@headwise/kernels';
import type { Constraint } from './constraint.js';
import type { ContextShift } from './context-shift.js';
import type { DolaLayers } from './dola.js';
import type { PrefixCache } from './prefix-cache/prefix-cache.js';
import type { LengthDecay } from './processors/length-decay.js';
import type { LogitsProcessor } from './processors/own.js';
import type { SequenceBias } from './processors/sequence-bias.js';
import type { Speculation } from './speculation/speculation.js';

/** Options of generation. Lengths are in tokens. */
export interface GenerateOptions extends SamplingOptions {
  /** The most tokens to generate; default 64, or what `maxLength` leaves. */
  maxNewTokens?: number | undefined;
  /** The most tokens of prompt and continuation together; `maxNewTokens` wins over it. */
  maxLength?: number | undefined;
  /** What the output of an encoder-decoder begins with, as tokens that name a language and a task; default the model's `startId` alone. */
  startIds?: readonly number[] | undefined;
  /** No stop id is drawn before this many new tokens; default 0. */
  minNewTokens?: number | undefined;
  /** No stop id is drawn before prompt and continuation have this many tokens; default 0. */
  minLength?: number | undefined;
  /** Generation ends before any of these: the end tokens. An id outside the vocabulary never comes. */
  stopIds?: readonly number[] | undefined;
  /** Makes stop ids likelier, or less likely, with the number of new tokens; default none. */
  lengthDecay?: LengthDecay | undefined;
  /** Added to the scores of single tokens, by id; −∞ forbids one. */
  logitBias?: ReadonlyMap<number, number> | undefined;
  /** Added to the score of the last token of sequences whose other tokens come before; −∞ forbids one. */
  sequenceBias?: readonly SequenceBias[] | undefined;
  /** No sequence of this many tokens occurs twice, the prompt included; default 0, no restriction. */
  noRepeatNgramSize?: number | undefined;
  /** No sequence of this many tokens of the encoder's input, or of a decoder's prompt, occurs again; default 0. */
  encoderNoRepeatNgramSize?: number | undefined;
  /** Sequences of ids that are never completed. */
  badWords?: readonly (readonly number[])[] | undefined;
  /** Ids that are never drawn. */
  suppressIds?: readonly number[] | undefined;
  /** Ids that are not drawn as the first new token. */
  beginSuppressIds?: readonly number[] | undefined;
  /** The second token of the sequence, or several that it may be, where the prompt has one token. */
  forcedFirstId?: number | readonly number[] | undefined;
  /** The last token, or several that it may be, where the sequence reaches its greatest length. */
  forcedLastId?: number | readonly number[] | undefined;
  /** Classifier-free guidance: above 1, the prompt counts for more; default 1, off. Takes two passes a token. */
  guidanceScale?: number | undefined;
  /** What guidance leads away from; default the last token of the prompt. */
  negativePrompt?: readonly number[] | undefined;
  /** A language that the new tokens must belong to: `choices`, or a grammar of `@headwise/grammar`. Tokens do not run ahead. */
  constraint?: Constraint | undefined;
  /**
   * DoLa, in `generate` and `stream`: scores by how much the last layer raises a token over earlier layers. The model runs by its
   * layers; default off.
   */
  dolaLayers?: DolaLayers | undefined;
  /**
   * Drafts the next tokens, which the model then checks in one pass: `promptLookup`, `draftModel`, `earlyExit`, or one of your own.
   * What is drawn stays the same, token for token. Default none.
   */
  speculation?: Speculation | undefined;
  /** Functions of one's own on the model's scores, in their order, before all else. */
  processors?: readonly LogitsProcessor[] | undefined;
  /** The same seed draws the same tokens; default 0. */
  seed?: number | undefined;
  /** How keys and values of past tokens are kept: f16 takes half the memory, on WebGPU and wasm; default f32. */
  storage?: CacheStorage | undefined;
  /** Keys and values of earlier prompts, which one that begins like them does not compute again; default none. */
  prefixCache?: PrefixCache | undefined;
  /**
   * In `generate` and `stream`: what stays of a sequence that has filled the context, for streams without end. The kept tokens run
   * anew, at the positions that they then have. Default: the newer half of the sequence.
   */
  contextShift?: ContextShift | undefined;
  /**
   * Tokens that are drawn before the first of them is read, up to 32, where the model's step is fused: it hides the latency
   * of reading from the GPU. Default: so many that readings take at most a tenth of the time, as measured.
   */
  runAhead?: number | undefined;
  /** Milliseconds after which no further token is begun; the first one comes in any case. Default none. */
  maxTime?: number | undefined;
  /** Ends generation from outside, before the next token. */
  signal?: AbortSignal | undefined;
}
