import { z } from 'zod';
import type { WrittenText } from '../prompt-model.js';
import { CutStreamError, causeOf, ServerModelError } from './requests.js';

const chunk = z.object({
  model: z.string(),
  choices: z.array(
    z.object({
      text: z.string().nullish(),
      delta: z.object({ content: z.string().nullish() }).nullish(),
      finish_reason: z.string().nullish(),
    }),
  ),
  usage: z.object({ prompt_tokens: z.number(), completion_tokens: z.number() }).nullish(),
});
const failure = z.object({ error: z.union([z.string(), z.object({ message: z.string() })]) });

/** What is expected of a stream. */
export interface ExpectedStream {
  /** The address, for errors. */
  readonly where: string;
  /** The model that its events name. */
  readonly model: string;
  readonly signal: AbortSignal | undefined;
}

/**
 * The pieces of a text from the events of a stream, and then the text as `write` gives it.
 *
 * @throws CutStreamError with what came, for a stream that ends before `[DONE]`, or whose connection is lost; ServerModelError for an event that is
 * an error, is not one of the API, or is of another model; the signal's reason
 */
export async function* streamedText(
  events: AsyncIterable<string>,
  { where, model, signal }: ExpectedStream,
): AsyncGenerator<string, WrittenText> {
  let [text, reason, done] = ['', 'unknown', false];
  let usage = { prompt_tokens: 0, completion_tokens: 0 };
  const cut = (why: string, options?: ErrorOptions) =>
    new CutStreamError(
      `${where}: the stream ended after ${text.length} characters of the text: ${why}`,
      text,
      options,
    );
  try {
    for await (const data of events) {
      done ||= data === '[DONE]';
      if (done) break;
      const read = readChunk(data, where);
      if (read.model !== model) {
        throw new ServerModelError(
          `${where}: the answer is of the model '${read.model}'; expected '${model}'`,
        );
      }
      usage = read.usage ?? usage;
      const [choice] = read.choices;
      reason = choice?.finish_reason ?? reason;
      const piece = choice?.text ?? choice?.delta?.content ?? '';
      text += piece;
      if (piece !== '') yield piece;
    }
  } catch (error) {
    if (error instanceof ServerModelError) throw error;
    signal?.throwIfAborted();
    throw cut(causeOf(error), { cause: error });
  }
  if (!done) throw cut("there is no event '[DONE]'");
  return { text, tokens: usage.completion_tokens, promptTokens: usage.prompt_tokens, reason };
}

function readChunk(data: string, where: string): z.infer<typeof chunk> {
  let json: unknown;
  try {
    json = JSON.parse(data);
  } catch {
    throw new ServerModelError(
      `${where}: an event of the stream is not JSON: ${data.slice(0, 99)}`,
    );
  }
  const failed = failure.safeParse(json);
  if (failed.success) {
    const { error } = failed.data;
    throw new ServerModelError(`${where}: ${typeof error === 'string' ? error : error.message}`);
  }
  const checked = chunk.safeParse(json);
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  throw new ServerModelError(
    `${where}: an event of the stream has no ${issue!.path.join('.') || 'object'} as expected: ${issue!.message}`,
  );
}
