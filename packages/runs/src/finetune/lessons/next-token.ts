import { InputError, isLanguageModel } from '@headwise/core';
import { type CountedTokens, countedTokens } from '@headwise/data';
import { causalLanguageModel, type TokenBatch } from '@headwise/training';
import { chatTurns } from '../chat-turns.js';
import { type Lesson, type LessonSources, teach, zeros } from '../lesson.js';

/** What is learned of a text: its pieces between these places. */
interface LearnedText {
  text: string;
  spans: readonly (readonly [start: number, end: number])[];
  /** Whether its end is learned too; a chat template writes its own. */
  ends: boolean;
  addSpecialTokens: boolean;
}

/** Texts, completions of prompts, and the assistant's turns of chats, for a model that predicts the next token. */
export function nextTokenLesson(
  sources: LessonSources<'text' | 'completion' | 'messages'>,
): Lesson<CountedTokens, TokenBatch> {
  const { maxLength } = sources;
  return {
    taught: teach<unknown, CountedTokens>(sources.examples, (given, place) => {
      const { ids, learned } = tokensOf(learnedText(sources, given, place), sources);
      const kept = learned.slice(0, maxLength);
      // The first token follows nothing.
      if (!kept.slice(1).includes(1)) return undefined;
      return {
        example: { ids: ids.slice(0, maxLength), counted: kept },
        cut: ids.length > maxLength,
      };
    }),
    tokensOf: ({ ids }) => ids.length,
    sizeOf: ({ ids }) => ({ tokens: ids.length }),
    ofSize: ({ tokens }) => ({ ids: zeros(tokens), counted: zeros(tokens).fill(1) }),
    collate: countedTokens(),
    objective(network) {
      if (isLanguageModel(network)) return causalLanguageModel(network);
      throw new InputError('the model does not predict the next token; expected a decoder');
    },
  };
}

function learnedText(
  { examples: { format }, chatTemplate }: LessonSources<'text' | 'completion' | 'messages'>,
  given: unknown,
  place: number,
): LearnedText {
  if (format === 'messages') {
    const { messages, tools } = given as { messages: []; tools?: [] };
    const { text, turns } = chatTurns(chatTemplate, messages, { place, tools });
    return { text, spans: turns, ends: false, addSpecialTokens: false };
  }
  const { prompt, completion } =
    format === 'text'
      ? { prompt: '', completion: (given as { text: string }).text }
      : (given as { prompt: string; completion: string });
  const text = prompt + completion;
  return { text, spans: [[prompt.length, text.length]], ends: true, addSpecialTokens: true };
}

/** A text's tokens; those that reach into a learned piece are learned. */
function tokensOf(
  { text, spans, ends, addSpecialTokens }: LearnedText,
  { tokenizer, endId }: Pick<LessonSources, 'tokenizer' | 'endId'>,
): { ids: number[]; learned: number[] } {
  const options = { addSpecialTokens, truncation: null, padding: null };
  const { ids, offsets } = tokenizer.encode(text, options);
  const learned = offsets.map(([start, end], i) => {
    // A token that the tokenizer adds lies nowhere in the text; the end is learned, as the model has to write it.
    if (start === end) return Number(ends && i > 0 && ids[i] === endId);
    return Number(spans.some((span) => start < span[1] && end > span[0]));
  });
  if (!ends || endId === undefined || ids.at(-1) === endId) return { ids, learned };
  return { ids: [...ids, endId], learned: [...learned, 1] };
}
