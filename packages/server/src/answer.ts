import type { GeneratedToken, GenerateOptions } from '@headwise/generation';
import type { TextSettings } from '@headwise/text';
import { type DecodedPiece, settingsOf, TextDecoding } from '@headwise/text/internal';
import type { Sequence } from './engine/sequence.js';
import { ApiError } from './http/api-error.js';
import type { ServedDecoder, Service } from './service.js';

/** What an answer is asked for with. */
export interface AnswerRequest {
  readonly model: ServedDecoder;
  readonly prompt: readonly number[];
  /** Options that win over the model's own. */
  readonly options: TextSettings;
  /** The number of likeliest tokens to give with each token; default 0. */
  readonly alternatives?: number | undefined;
}

/** A token of an answer and the text that is certain with it; without a token, text that was held back. */
export interface AnswerPiece extends DecodedPiece {
  readonly token?: GeneratedToken | undefined;
}

/** Why an answer ended: an end token or stop text, or a limit of its length or time. */
export type FinishReason = 'stop' | 'length';

/** The text of a sequence while it comes. */
export class Answer {
  readonly #sequence: Sequence;
  readonly #decoding: TextDecoding;
  readonly #service: Service;
  readonly #begun = performance.now();
  #tokens = 0;
  #finish: FinishReason | undefined;
  #stop: string | undefined;

  constructor(service: Service, sequence: Sequence, decoding: TextDecoding) {
    this.#service = service;
    this.#sequence = sequence;
    this.#decoding = decoding;
  }

  /** The number of tokens that were given. */
  get tokens(): number {
    return this.#tokens;
  }

  /** Why it ended; undefined before. */
  get finish(): FinishReason | undefined {
    return this.#finish;
  }

  /** The stop text that ended it; undefined where none did. */
  get stop(): string | undefined {
    return this.#stop;
  }

  /** The end token that ended it, which has no text; undefined where none did. */
  get endToken(): GeneratedToken | undefined {
    return this.#stop === undefined ? this.#sequence.stopToken : undefined;
  }

  /** The next piece; undefined at the end. */
  async next(): Promise<AnswerPiece | undefined> {
    if (this.#finish) return undefined;
    const token = await this.#sequence.next();
    if (!token) {
      const piece = this.#decoding.end();
      this.#stop = piece.stop;
      const ended = piece.stop !== undefined || this.#sequence.reason === 'stop';
      this.#finish = ended ? 'stop' : 'length';
      return piece.text === '' ? undefined : piece;
    }
    if (this.#tokens++ === 0) {
      this.#service.firstToken((performance.now() - this.#begun) / 1000);
    }
    this.#service.countTokens.generated(1);
    const piece = this.#decoding.push(token.id);
    if (piece.stop !== undefined) {
      this.#stop = piece.stop;
      this.#finish = 'stop';
      this.#sequence.cancel();
    }
    return { ...piece, token };
  }

  /** Ends it where it is; its place is free before the next step. */
  cancel(): void {
    this.#sequence.cancel();
  }
}

/**
 * Begins answers, all of them or none.
 *
 * @param signal ends them where the client goes away
 * @throws ApiError for a prompt that leaves no room in the context, and errors of `Engine.submit`
 */
export function beginAnswers(
  service: Service,
  requests: readonly AnswerRequest[],
  signal: AbortSignal,
): Answer[] {
  const decodings: TextDecoding[] = [];
  const sequences = service.engine.submit(
    requests.map(({ model: { model, tokenizer }, prompt, options, alternatives }) => {
      // A batch is as fast without drafts, which change no token.
      const { stop, speculation: _, ...settings } = settingsOf(model, options);
      decodings.push(new TextDecoding(tokenizer, prompt, stop));
      const { network } = model;
      const { tokens } = service.limits;
      const own = fitted(network.maxLength, tokens, prompt, options, settings);
      return { network, prompt, options: own, alternatives };
    }),
  );
  const answers = sequences.map((sequence, n) => new Answer(service, sequence, decodings[n]!));
  const cancel = () => {
    for (const answer of answers) answer.cancel();
  };
  if (signal.aborted) cancel();
  else signal.addEventListener('abort', cancel, { once: true });
  return answers;
}

/**
 * Options whose number of new tokens fits the context: the model's own number is lowered, one of the request is refused.
 *
 * @param asked the options of the request, and `settings` those with the model's own
 */
function fitted(
  context: number,
  most: number,
  prompt: readonly number[],
  asked: GenerateOptions,
  { maxLength, ...settings }: GenerateOptions,
): GenerateOptions {
  const refuse = (message: string) =>
    new ApiError(400, message, { code: 'context_length_exceeded' });
  if (prompt.length === 0)
    throw new ApiError(400, 'the prompt is empty; expected at least one token');
  if (prompt.length > context) {
    throw refuse(`the prompt has ${prompt.length} tokens; the model's context holds ${context}`);
  }
  // The last token needs no place in the context.
  const room = context + 1 - prompt.length;
  const { maxNewTokens: given } = asked;
  if (given !== undefined && given > room) {
    throw refuse(
      `the prompt has ${prompt.length} tokens and ${given} new ones are asked for; the model's context of ${context} leaves ${room}`,
    );
  }
  if (given !== undefined && given > most) {
    throw refuse(`${given} new tokens are asked for; the limit is ${most}`);
  }
  const own = settings.maxNewTokens ?? (maxLength === undefined ? room : maxLength - prompt.length);
  return { ...settings, maxNewTokens: Math.max(0, Math.min(own, room, most)) };
}

/** Reads an answer to its end. */
export async function wholeAnswer(answer: Answer): Promise<{
  text: string;
  pieces: AnswerPiece[];
  tokens: number;
  finish: FinishReason;
  endToken: GeneratedToken | undefined;
}> {
  const pieces: AnswerPiece[] = [];
  for (let piece = await answer.next(); piece; piece = await answer.next()) pieces.push(piece);
  const text = pieces.map((piece) => piece.text).join('');
  const { tokens, finish, endToken } = answer;
  return { text, pieces, tokens, finish: finish!, endToken };
}

/** A piece of one of several answers; without a piece, the end of that answer. */
export interface IndexedPiece {
  readonly index: number;
  readonly piece: AnswerPiece | undefined;
}

/** The pieces of several answers as they come. */
export async function* piecesOf(answers: readonly Answer[]): AsyncGenerator<IndexedPiece, void> {
  const next = (index: number) => answers[index]!.next().then((piece) => ({ index, piece }));
  const pending = new Map(answers.map((_, index) => [index, next(index)]));
  try {
    while (pending.size > 0) {
      const came = await Promise.race(pending.values());
      if (came.piece) pending.set(came.index, next(came.index));
      else pending.delete(came.index);
      yield came;
    }
  } finally {
    for (const answer of answers) answer.cancel();
    // Others may fail later: nobody waits for them any more.
    for (const left of pending.values()) left.catch(() => {});
  }
}
