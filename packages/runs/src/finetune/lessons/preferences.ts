import { InputError, isLanguageModel, type LanguageModel, type Network } from '@headwise/core';
import {
  type ExampleMessage,
  type ExampleOf,
  type Judgement,
  judgedCompletions,
  mismatched,
  type Preference,
  type PromptCompletion,
  preferencePairs,
  type TextOrMessages,
} from '@headwise/data';
import type { ChatTemplate } from '@headwise/tokenizers';
import {
  type Continuation,
  directPreference,
  type JudgedBatch,
  kahnemanTversky,
  type PreferenceBatch,
  referenceLogProbabilities,
} from '@headwise/training';
import { chatTurns } from '../chat-turns.js';
import { type Lesson, type LessonSources, teach, zeros } from '../lesson.js';

/** Prompts with an answer that is preferred and one that is not, compared with the model as it is before training. */
export function preferenceLesson(
  sources: LessonSources<'preference'>,
): Lesson<Preference, PreferenceBatch> {
  return {
    taught: teach<ExampleOf['preference'], Preference>(sources.examples, (given, place) => {
      const chosen = answerTokens(given.prompt, given.chosen, { ...sources, place });
      const rejected = answerTokens(given.prompt, given.rejected, { ...sources, place });
      if (!chosen || !rejected) return undefined;
      const { prompt, completion } = chosen.example;
      return {
        example: {
          prompt,
          chosen: completion,
          rejected: rejected.example.completion,
          reference: { chosen: 0, rejected: 0 },
        },
        cut: chosen.cut || rejected.cut,
      };
    }),
    tokensOf: ({ prompt, chosen, rejected }) => 2 * prompt.length + chosen.length + rejected.length,
    sizeOf: ({ prompt, chosen, rejected }) => ({
      tokens: prompt.length + Math.max(chosen.length, rejected.length),
    }),
    ofSize: ({ tokens }) => ({
      prompt: [0],
      chosen: zeros(tokens - 1),
      rejected: zeros(tokens - 1),
      reference: { chosen: 0, rejected: 0 },
    }),
    async score(network, examples, options) {
      const pairs = examples.flatMap(({ prompt, chosen, rejected }) => [
        { prompt, completion: chosen },
        { prompt, completion: rejected },
      ]);
      const found = await logProbabilities(network, 'dpo', pairs, options);
      const margins = examples.map(
        ({ reference }, i) =>
          found[2 * i]! - reference.chosen - (found[2 * i + 1]! - reference.rejected),
      );
      return { 'preference accuracy': shareAbove(margins) };
    },
    collate: preferencePairs(),
    objective: (network) => directPreference(decoderOf(network, 'dpo')),
    async refer(network, examples) {
      const pairs = examples.flatMap(({ prompt, chosen, rejected }) => [
        { prompt, completion: chosen },
        { prompt, completion: rejected },
      ]);
      const found = await referenceLogProbabilities(decoderOf(network, 'dpo'), pairs);
      return examples.map((example, i) => ({
        ...example,
        reference: { chosen: found[2 * i]!, rejected: found[2 * i + 1]! },
      }));
    },
  };
}

/** Answers that are wanted or not, compared with the model as it is before training. */
export function judgementLesson(sources: LessonSources<'judged'>): Lesson<Judgement, JudgedBatch> {
  return {
    taught: teach<ExampleOf['judged'], Judgement>(sources.examples, (given, place) => {
      const made = answerTokens(given.prompt, given.completion, { ...sources, place });
      if (!made) return undefined;
      const reference = { completion: 0, other: 0 };
      const judged = { desirable: given.label, other: made.example.completion, reference };
      return { example: { ...made.example, ...judged }, cut: made.cut };
    }),
    tokensOf: ({ prompt, completion, other }) =>
      2 * prompt.length + completion.length + other.length,
    sizeOf: ({ prompt, completion, other }) => ({
      tokens: prompt.length + Math.max(completion.length, other.length),
    }),
    ofSize: ({ tokens }) => ({
      prompt: [0],
      completion: zeros(tokens - 1),
      other: zeros(tokens - 1),
      desirable: true,
      reference: { completion: 0, other: 0 },
    }),
    async score(network, examples, options) {
      const found = await logProbabilities(network, 'kto', examples, options);
      const gains = examples.map(
        ({ desirable, reference }, i) => (desirable ? 1 : -1) * (found[i]! - reference.completion),
      );
      return { 'preference accuracy': shareAbove(gains) };
    },
    collate: judgedCompletions(),
    objective: (network) => kahnemanTversky(decoderOf(network, 'kto')),
    async refer(network, examples) {
      const others = mismatched(examples);
      const pairs = examples.flatMap(({ prompt, completion }, i) => [
        { prompt, completion },
        { prompt, completion: others[i]! },
      ]);
      const found = await referenceLogProbabilities(decoderOf(network, 'kto'), pairs);
      return examples.map((example, i) => ({
        ...example,
        other: others[i]!,
        reference: { completion: found[2 * i]!, other: found[2 * i + 1]! },
      }));
    },
  };
}

type AnswerSources = Pick<LessonSources, 'tokenizer' | 'chatTemplate' | 'endId' | 'maxLength'> & {
  readonly place: number;
};

/** A prompt and an answer with its end, each as tokens; undefined where the cut leaves nothing of the answer. */
function answerTokens(
  prompt: TextOrMessages,
  answer: TextOrMessages,
  { tokenizer, chatTemplate, endId, maxLength, place }: AnswerSources,
):
  | { example: PromptCompletion & { prompt: number[]; completion: number[] }; cut: boolean }
  | undefined {
  const isText = typeof prompt === 'string';
  const { before, written } = isText
    ? { before: prompt, written: answer as string }
    : answerOfChat(chatTemplate, [...prompt, ...(answer as readonly ExampleMessage[])], place);
  const plain = { truncation: null, padding: null };
  // A chat template writes special tokens and the end itself.
  const { ids } = tokenizer.encode(before, { ...plain, addSpecialTokens: isText });
  const own = tokenizer.encode(written, { ...plain, addSpecialTokens: false }).ids;
  const whole = !isText || endId === undefined ? own : [...own, endId];
  const completion = whole.slice(0, Math.max(0, maxLength - ids.length));
  if (ids.length === 0 || own.length === 0 || completion.length === 0) return undefined;
  return { example: { prompt: ids, completion }, cut: completion.length < whole.length };
}

/** The last turn of the assistant in a chat, and the text before it. */
function answerOfChat(
  template: ChatTemplate | undefined,
  messages: readonly ExampleMessage[],
  place: number,
): { before: string; written: string } {
  const { text, turns } = chatTurns(template, messages as [], { place });
  const [start, end] = turns.at(-1)!;
  return { before: text.slice(0, start), written: text.slice(start, end) };
}

/** Of completions by the model as it is now. */
async function logProbabilities(
  network: Network,
  method: string,
  continuations: readonly Continuation[],
  { signal }: { signal?: AbortSignal | undefined },
): Promise<number[]> {
  const found: number[] = [];
  for (const continuation of continuations) {
    signal?.throwIfAborted();
    found.push(...(await referenceLogProbabilities(decoderOf(network, method), [continuation])));
  }
  return found;
}

/** The share of numbers above 0; where nothing has been learned yet they are 0, and each counts as a half. */
function shareAbove(values: readonly number[]): number {
  const counted = values.map((value) => (value > 0 ? 1 : value < 0 ? 0 : 0.5));
  return counted.reduce<number>((sum, one) => sum + one, 0) / values.length;
}

function decoderOf(network: Network, method: string): LanguageModel {
  if (isLanguageModel(network)) return network;
  throw new InputError(`${method}: the model does not predict the next token; expected a decoder`);
}
