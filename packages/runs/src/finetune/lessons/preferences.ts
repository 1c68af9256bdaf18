import { InputError, isLanguageModel, type LanguageModel, type Network } from '@headwise/core';
import {
  type ExampleOf,
  type Judgement,
  judgedCompletions,
  mismatched,
  type Preference,
  type PromptCompletion,
  preferencePairs,
} from '@headwise/data';
import {
  directPreference,
  type JudgedBatch,
  kahnemanTversky,
  type PreferenceBatch,
  referenceLogProbabilities,
} from '@headwise/training';
import { type Lesson, type LessonSources, teach } from '../lesson.js';

/** Prompts with an answer that is preferred and one that is not, compared with the model as it is before training. */
export function preferenceLesson(
  sources: LessonSources<'preference'>,
): Lesson<Preference, PreferenceBatch> {
  return {
    taught: teach<ExampleOf['preference'], Preference>(sources.examples, (given) => {
      const chosen = answerTokens(given.prompt, given.chosen, sources);
      const rejected = answerTokens(given.prompt, given.rejected, sources);
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
    taught: teach<ExampleOf['judged'], Judgement>(sources.examples, (given) => {
      const made = answerTokens(given.prompt, given.completion, sources);
      if (!made) return undefined;
      const reference = { completion: 0, other: 0 };
      const judged = { desirable: given.label, other: made.example.completion, reference };
      return { example: { ...made.example, ...judged }, cut: made.cut };
    }),
    tokensOf: ({ prompt, completion, other }) =>
      2 * prompt.length + completion.length + other.length,
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

/** A prompt and an answer with its end, each as tokens; undefined where the cut leaves nothing of the answer. */
function answerTokens(
  prompt: string,
  answer: string,
  { tokenizer, endId, maxLength }: Pick<LessonSources, 'tokenizer' | 'endId' | 'maxLength'>,
):
  | { example: PromptCompletion & { prompt: number[]; completion: number[] }; cut: boolean }
  | undefined {
  const plain = { truncation: null, padding: null };
  const { ids } = tokenizer.encode(prompt, plain);
  const own = tokenizer.encode(answer, { ...plain, addSpecialTokens: false }).ids;
  const whole = endId === undefined ? own : [...own, endId];
  const completion = whole.slice(0, Math.max(0, maxLength - ids.length));
  if (ids.length === 0 || own.length === 0 || completion.length === 0) return undefined;
  return { example: { prompt: ids, completion }, cut: completion.length < whole.length };
}

function decoderOf(network: Network, method: string): LanguageModel {
  if (isLanguageModel(network)) return network;
  throw new InputError(`${method}: the model does not predict the next token; expected a decoder`);
}
