import { type PaddingOptions, padRows } from './collate.js';
import { DataError } from './errors.js';

/** A prompt and how it is to go on, as token ids. */
export interface PromptCompletion {
  readonly prompt: ArrayLike<number>;
  readonly completion: ArrayLike<number>;
}

/** Next-token inputs and targets, with −100 where nothing is predicted: prompts and padding. */
export interface CompletionBatch {
  /** `[B, T]` */
  readonly inputs: Int32Array;
  /** `[B, T]` */
  readonly targets: Int32Array;
  readonly shape: readonly [batch: number, tokens: number];
}

/**
 * Prompts and their completions, with the loss on the completions alone.
 *
 * A row reads all tokens but its last, and predicts those of the completion.
 *
 * @param options `length` is that of rows without their last token
 * @throws DataError for an empty prompt or completion, and for a row longer than `length`
 */
export function completions(
  options: PaddingOptions = {},
): (examples: readonly PromptCompletion[]) => CompletionBatch {
  return (examples) =>
    predicted(
      examples.map(({ prompt, completion }, n) => {
        if (prompt.length === 0 || completion.length === 0) {
          throw new DataError(
            `row ${n} of a batch has ${prompt.length} tokens of prompt and ${completion.length} of completion, expected at least one of each`,
          );
        }
        const ids = [...Array.from(prompt), ...Array.from(completion)];
        return { ids, counted: ids.map((_, i) => Number(i >= prompt.length)) };
      }),
      options,
    );
}

/** Token ids, and which of them are to be predicted. */
export interface CountedTokens {
  readonly ids: ArrayLike<number>;
  /** 1 for a token that is predicted, 0 for one that is only read. */
  readonly counted: ArrayLike<number>;
}

/**
 * The tokens of an encoded text with the loss on some spans only, such as the assistant's turns of a chat: on every token that overlaps
 * a span.
 *
 * @param spans in the units of the encoding's offsets
 * @throws DataError where no token is left to predict
 */
export function learnSpans(
  { ids, offsets }: { ids: ArrayLike<number>; offsets: readonly (readonly [number, number])[] },
  spans: readonly (readonly [start: number, end: number])[],
): CountedTokens {
  const counted = offsets.map(([from, to]) =>
    Number(from < to && spans.some(([start, end]) => from < end && to > start)),
  );
  if (!hasTarget(counted)) {
    throw new DataError(
      `none of ${ids.length} tokens lies in a span to learn, expected at least one`,
    );
  }
  return { ids, counted };
}

/**
 * Texts with the loss on some tokens only, such as the assistant's turns of a chat.
 *
 * @param options `length` is that of rows without their last token
 * @throws DataError where a row has no token to predict, or two lists differ in length
 */
export function countedTokens(
  options: PaddingOptions = {},
): (examples: readonly CountedTokens[]) => CompletionBatch {
  return (examples) => {
    for (const [n, { ids, counted }] of examples.entries()) {
      if (ids.length !== counted.length) {
        throw new DataError(
          `row ${n} of a batch has ${ids.length} tokens and ${counted.length} marks, expected one for each`,
        );
      }
      if (!hasTarget(counted)) {
        throw new DataError(`row ${n} of a batch has no token to predict, expected at least one`);
      }
    }
    return predicted(examples, options);
  };
}

/** Whether a token is predicted; the first has nothing before it that could predict it. */
const hasTarget = (counted: ArrayLike<number>): boolean =>
  Array.from(counted).some((one, i) => one && i > 0);

/** Next-token rows whose targets are the counted tokens. */
function predicted(examples: readonly CountedTokens[], options: PaddingOptions): CompletionBatch {
  const inputs = padRows(
    examples.map(({ ids }) => Array.from(ids).slice(0, -1)),
    options,
  );
  const { padId: _, ...size } = options;
  const targets = padRows(
    examples.map(({ ids, counted }) =>
      Array.from(ids)
        .slice(1)
        .map((id, i) => (counted[i + 1] ? id : -100)),
    ),
    { ...size, padId: -100 },
  );
  return { inputs: inputs.ids, targets: targets.ids, shape: inputs.shape };
}

/** A prompt with a completion that people prefer to another, and how likely a reference model takes both. */
export interface Preference {
  readonly prompt: ArrayLike<number>;
  readonly chosen: ArrayLike<number>;
  readonly rejected: ArrayLike<number>;
  /** Log-probabilities of both completions under the reference model, computed once before training. */
  readonly reference: { readonly chosen: number; readonly rejected: number };
}

/** Rows of two kinds, one half below the other, with the reference's log-probability of each. */
export interface ReferredBatch extends CompletionBatch {
  /** `[2B]` */
  readonly reference: Float32Array;
}

/** Pairs of preferences: chosen completions in the first half of the rows, rejected ones in the second. */
export function preferencePairs(
  options: PaddingOptions = {},
): (examples: readonly Preference[]) => ReferredBatch {
  const collate = completions(options);
  return (examples) => ({
    ...collate([
      ...examples.map(({ prompt, chosen }) => ({ prompt, completion: chosen })),
      ...examples.map(({ prompt, rejected }) => ({ prompt, completion: rejected })),
    ]),
    reference: Float32Array.from([
      ...examples.map(({ reference }) => reference.chosen),
      ...examples.map(({ reference }) => reference.rejected),
    ]),
  });
}

/** A completion that is good or bad, and one of another prompt that measures how far a model has moved. */
export interface Judgement extends PromptCompletion {
  readonly desirable: boolean;
  /** The completion of another example, as `mismatched` gives it. */
  readonly other: ArrayLike<number>;
  /** Log-probabilities of both completions after this prompt under the reference model. */
  readonly reference: { readonly completion: number; readonly other: number };
}

/** Completions in the first half of the rows, those of other prompts in the second, and which completions are good. */
export function judgedCompletions(
  options: PaddingOptions = {},
): (examples: readonly Judgement[]) => ReferredBatch & { readonly desirable: Int32Array } {
  const collate = completions(options);
  return (examples) => ({
    ...collate([
      ...examples,
      ...examples.map(({ prompt, other }) => ({ prompt, completion: other })),
    ]),
    reference: Float32Array.from([
      ...examples.map(({ reference }) => reference.completion),
      ...examples.map(({ reference }) => reference.other),
    ]),
    desirable: Int32Array.from(examples, ({ desirable }) => Number(desirable)),
  });
}

/**
 * For each example the completion of another one, the next in the list.
 *
 * @throws DataError for fewer than two examples
 */
export function mismatched(examples: readonly PromptCompletion[]): ArrayLike<number>[] {
  if (examples.length < 2) {
    throw new DataError(`there are ${examples.length} examples, expected at least two to mismatch`);
  }
  return examples.map((_, n) => examples[(n + 1) % examples.length]!.completion);
}
