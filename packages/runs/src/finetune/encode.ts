import type { ExampleOf, Examples, LearnedTokens } from '@headwise/data';
import type { Tokenizer } from '@headwise/tokenizers';

/** What turns examples into tokens. */
export interface EncodeOptions {
  tokenizer: Tokenizer;
  /** The id that ends a text, which the model learns to write; undefined where it has none. */
  endId?: number | undefined;
  /** The most tokens of an example. */
  maxLength: number;
}

/** Examples as tokens. */
export interface EncodedExamples<T> {
  examples: T[];
  /** Where each of them stands in its file. */
  places: number[];
  /** How many were cut to the longest. */
  cut: number;
  /** How many were left out, as nothing is left to learn of them. */
  leftOut: number;
}

/** Texts, and completions of prompts, for a model that predicts the next token. */
export function encodeForNextTokens(
  given: Examples<'text' | 'completion'>,
  options: EncodeOptions,
): EncodedExamples<LearnedTokens> {
  const encode =
    given.format === 'text'
      ? ({ text }: ExampleOf['text']) => textTokens('', text, options)
      : ({ prompt, completion }: ExampleOf['completion']) =>
          textTokens(prompt, completion, options);
  const made: EncodedExamples<LearnedTokens> = { examples: [], places: [], cut: 0, leftOut: 0 };
  for (const [i, example] of given.examples.entries()) {
    const whole = encode(example as ExampleOf['text'] & ExampleOf['completion']);
    const { maxLength } = options;
    const kept =
      whole.ids.length > maxLength
        ? { ids: whole.ids.slice(0, maxLength), learned: whole.learned.slice(0, maxLength) }
        : whole;
    // The first token follows nothing.
    if (!kept.learned.slice(1).includes(1)) {
      made.leftOut++;
      continue;
    }
    if (kept !== whole) made.cut++;
    made.examples.push(kept);
    made.places.push(given.places[i]!);
  }
  return made;
}

/** A prompt and what follows it as one text, of which the tokens that reach beyond the prompt are learned. */
function textTokens(
  prompt: string,
  completion: string,
  { tokenizer, endId }: EncodeOptions,
): { ids: number[]; learned: number[] } {
  const { ids, offsets, specialTokensMask } = tokenizer.encode(prompt + completion);
  const learned = offsets.map(([, end], i) =>
    // A token that the tokenizer adds lies nowhere in the text; at the end it is learned, as the model writes it.
    specialTokensMask[i] ? Number(i > 0 && ids[i] === endId) : Number(end > prompt.length),
  );
  if (endId === undefined || ids.at(-1) === endId) return { ids, learned };
  return { ids: [...ids, endId], learned: [...learned, 1] };
}
