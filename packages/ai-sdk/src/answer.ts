import type { LanguageModelV4FinishReason, LanguageModelV4StreamPart } from '@ai-sdk/provider';
import type { StopReason } from '@headwise/generation';
import {
  type Prompt,
  streamText,
  type TextModel,
  type TextOptions,
  type ToolCall,
  ToolCallParser,
  type ToolCallPiece,
} from '@headwise/text';
import type { Tokenizer } from '@headwise/tokenizers';

/** An answer that is to be made. */
export interface Question {
  model: TextModel;
  tokenizer: Tokenizer;
  prompt: Prompt;
  /** The tokens of the prompt. */
  length: number;
  options: TextOptions;
  /** The functions that the model was told of; undefined where there are none. */
  tools: readonly string[] | undefined;
  /** Give every piece of the text as it was made, too. */
  raw: boolean;
}

type Parts = Generator<LanguageModelV4StreamPart>;

/**
 * Answers, part by part, from the first text to the finish.
 *
 * @throws the signal's reason where the call is aborted, and InputError as `streamText` does
 */
export async function* answerParts(question: Question): AsyncGenerator<LanguageModelV4StreamPart> {
  const { model, tokenizer, prompt, options, tools, raw } = question;
  const calls = tools && new ToolCallParser(tools);
  const written = new AnswerWriter();
  const stream = streamText(model, tokenizer, prompt, options);
  let count = 0;
  try {
    let next = await stream.next();
    for (; !next.done; next = await stream.next()) {
      const { id, text } = next.value;
      if (id !== undefined) count++;
      if (raw) yield { type: 'raw', rawValue: next.value };
      yield* written.pieces(calls ? calls.push(text) : [{ text }]);
    }
    options.signal?.throwIfAborted();
    yield* written.pieces(calls?.end() ?? []);
    yield* written.end();
    yield {
      type: 'finish',
      finishReason: written.called
        ? { unified: 'tool-calls', raw: next.value }
        : finishOf(next.value),
      usage: usageOf(question.length, count),
    };
  } finally {
    await stream.return('signal');
  }
}

/** Writes texts and calls as parts, each text between its start and end. */
class AnswerWriter {
  /** A call was written. */
  called = false;
  #texts = 0;
  #open = false;

  *pieces(pieces: readonly ToolCallPiece[]): Parts {
    for (const piece of pieces)
      yield* 'call' in piece ? this.#call(piece.call) : this.#text(piece.text);
  }

  *end(): Parts {
    if (this.#open) yield { type: 'text-end', id: String(this.#texts) };
    this.#open = false;
  }

  *#text(delta: string): Parts {
    if (delta === '') return;
    if (!this.#open) yield { type: 'text-start', id: String(++this.#texts) };
    this.#open = true;
    yield { type: 'text-delta', id: String(this.#texts), delta };
  }

  *#call({ name: toolName, arguments: given }: ToolCall): Parts {
    yield* this.end();
    this.called = true;
    const [id, input] = [callId(), JSON.stringify(given)];
    yield { type: 'tool-input-start', id, toolName };
    yield { type: 'tool-input-delta', id, delta: input };
    yield { type: 'tool-input-end', id };
    yield { type: 'tool-call', toolCallId: id, toolName, input };
  }
}

/** Nine letters and digits, which is the form that Mistral's templates ask for. */
function callId(): string {
  return crypto.randomUUID().replaceAll('-', '').slice(0, 9);
}

function finishOf(reason: StopReason): LanguageModelV4FinishReason {
  return { unified: reason === 'stop' || reason === 'length' ? reason : 'other', raw: reason };
}

type Usage = Extract<LanguageModelV4StreamPart, { type: 'finish' }>['usage'];

const usageOf = (input: number, output: number): Usage => ({
  inputTokens: { total: input, noCache: input, cacheRead: undefined, cacheWrite: undefined },
  outputTokens: { total: output, text: output, reasoning: undefined },
});
