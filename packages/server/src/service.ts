import {
  currentDevice,
  type DeviceLostError,
  type EncoderModel,
  InputError,
  isEncoder,
  type LanguageModel,
} from '@headwise/core';
import type { EmbeddingModel, RerankModel, TextModel } from '@headwise/text';
import type { Tokenizer } from '@headwise/tokenizers';
import * as tf from '@tensorflow/tfjs';
import { Engine, type EngineLimits } from './engine/engine.js';
import { ApiError, apiErrorOf } from './http/api-error.js';
import { Metrics } from './metrics.js';

/** A decoder under the name that requests call it by. */
export interface ServedDecoder {
  readonly name: string;
  readonly model: TextModel & { readonly network: LanguageModel };
  readonly tokenizer: Tokenizer;
}

/** An encoder under the name that requests call it by: it answers `/v1/embeddings`, and a cross-encoder `/v1/rerank`. */
export interface ServedEncoder {
  readonly name: string;
  readonly model: EmbeddingModel & RerankModel & { readonly network: EncoderModel };
  readonly tokenizer: Tokenizer;
}

/** A model under the name that requests call it by. */
export type ServedModel = ServedDecoder | ServedEncoder;

/** Limits of a server. */
export interface ServerLimits extends EngineLimits {
  /** The most bytes of a body; default 4 MiB. */
  body?: number | undefined;
  /** Milliseconds in which a body has to arrive; default 60,000. */
  receive?: number | undefined;
  /** The most new tokens of a sequence; default what the model's context leaves. */
  tokens?: number | undefined;
  /** The most sequences of one request: prompts times answers; default 128. */
  sequences?: number | undefined;
}

/** What routes work with. */
export class Service {
  readonly engine: Engine;
  readonly limits: Readonly<{ body: number; receive: number; tokens: number; sequences: number }>;
  readonly metrics: Metrics = new Metrics();
  /** Counts the tokens of prompts and of answers. */
  readonly countTokens: { prompt: (count: number) => void; generated: (count: number) => void };
  /** Seconds from a request to the first token of its answer. */
  readonly firstToken: (seconds: number) => void;
  readonly #report: (error: unknown) => void;
  /** The device that the models lie on; undefined on other backends. */
  readonly #device: ReturnType<typeof currentDevice>;
  #isLossReported = false;
  /** When the service was made, in seconds since 1970. */
  readonly created: number = Math.floor(Date.now() / 1000);
  readonly #models: ReadonlyMap<string, ServedModel>;

  /** @throws InputError for no model, for two of one name, and for limits out of range */
  constructor(
    models: readonly ServedModel[],
    limits: ServerLimits = {},
    report: (error: unknown) => void = console.error,
  ) {
    const { body = 4 * 2 ** 20, receive = 60_000 } = limits;
    const { tokens = Number.POSITIVE_INFINITY, sequences = 128 } = limits;
    const { running, waiting, time, unread, prefixes } = limits;
    this.engine = new Engine({ running, waiting, time, unread, prefixes });
    this.limits = { body, receive, tokens, sequences };
    for (const [name, value] of Object.entries(this.limits)) {
      if (value >= 1) continue;
      throw new InputError(`limits.${name} is ${value}; expected a number of at least 1`);
    }
    this.#report = report;
    this.#device = tf.getBackend() === 'webgpu' ? currentDevice() : undefined;
    if (models.length === 0)
      throw new InputError('there is no model to serve; expected at least one');
    for (const [i, { name }] of models.entries()) {
      if (models.findIndex((other) => other.name === name) === i) continue;
      throw new InputError(`two models are named '${name}'; expected different names`);
    }
    this.#models = new Map(models.map((model) => [model.name, model]));
    const { metrics, engine } = this;
    metrics.gauge('headwise_sequences_running', 'Sequences that run.', () => engine.running);
    metrics.gauge('headwise_sequences_waiting', 'Sequences that wait.', () => engine.waiting);
    metrics.gauge(
      'headwise_prefix_bytes',
      'Bytes of the keys and values of earlier prompts.',
      () => engine.prefixes.bytes,
    );
    metrics.sum(
      'headwise_reused_prompt_tokens_total',
      'Tokens of prompts that were not computed, as an earlier prompt began with them.',
      () => engine.prefixes.reusedTokens,
    );
    const prompt = metrics.counter('headwise_prompt_tokens_total', 'Tokens of prompts.');
    const generated = metrics.counter('headwise_generated_tokens_total', 'Tokens of answers.');
    this.countTokens = {
      prompt: (count) => prompt({}, count),
      generated: (count) => generated({}, count),
    };
    this.firstToken = metrics.histogram(
      'headwise_first_token_seconds',
      'Seconds from a request to the first token of its answer.',
      [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100],
    );
  }

  /** The loss of the device, after which nothing can be computed; undefined before. */
  get loss(): DeviceLostError | undefined {
    return this.#device?.lost;
  }

  /** An error as one with a status; what is a fault of the server is reported, the loss of the device once. */
  errorOf(error: unknown): ApiError {
    const known = apiErrorOf(error);
    const isLoss = known.code === 'device_lost';
    if (known.status === 500 || (isLoss && !this.#isLossReported)) this.#report(error);
    this.#isLossReported ||= isLoss;
    return known;
  }

  get models(): readonly ServedModel[] {
    return [...this.#models.values()];
  }

  /** @throws ApiError 404 for a name that no model has */
  modelNamed(name: string): ServedModel {
    const model = this.#models.get(name);
    if (model) return model;
    const names = [...this.#models.keys()].map((known) => `'${known}'`).join(', ');
    throw new ApiError(404, `no model is named '${name.slice(0, 100)}'; there are ${names}`, {
      code: 'model_not_found',
      param: 'model',
    });
  }

  /** @throws ApiError 404 for a name that no model has, 400 for an encoder */
  decoderNamed(name: string): ServedDecoder {
    const model = this.modelNamed(name);
    if (isDecoder(model)) return model;
    throw new ApiError(
      400,
      `the model '${name}' is an encoder and writes no text; /v1/embeddings gives its vectors`,
      { param: 'model', code: 'model_not_supported' },
    );
  }
}

const isDecoder = (model: ServedModel): model is ServedDecoder => !isEncoder(model.model.network);
