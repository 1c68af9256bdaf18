import { InputError, isEncoderDecoder } from '@headwise/core';
import { scoreBatch } from '@headwise/generation';
import type { Prompt, TextModel, TextOptions } from '@headwise/text';
import type { Tokenizer } from '@headwise/tokenizers';
import type { ContinuationScore, ScoreRequest, WorkOptions } from '../prompt-model.js';
import { sharedLength } from './shared-length.js';

interface Loaded {
  readonly model: TextModel;
  readonly tokenizer: Tokenizer;
}

interface Split {
  readonly prompt: readonly number[];
  readonly completions: readonly (readonly number[])[];
}

/**
 * Scores continuations of prompts by a loaded model, as lm-evaluation-harness does.
 *
 * @throws InputError naming the request's place, for a continuation without tokens and for one that does not fit into the context
 */
export async function scoreContinuations(
  loaded: Loaded,
  requests: readonly ScoreRequest[],
  { signal, chat }: WorkOptions & { chat?: TextOptions['chat'] | undefined } = {},
): Promise<ContinuationScore[][]> {
  const splits = requests.map((request) => splitContinuations(loaded, request, chat));
  const pairs = splits.flatMap(({ prompt, completions }) =>
    completions.map((completion) => ({ prompt, completion })),
  );
  const scores = (await scoreBatch(loaded.model.network, pairs, { signal })).values();
  return splits.map(({ prompt, completions }) =>
    completions.map((ids) => {
      const { logProbability, isGreedy } = scores.next().value!;
      return { tokens: ids, promptTokens: prompt.length, logProbability, isGreedy };
    }),
  );
}

/**
 * The tokens of a prompt and of each continuation, such that both together are the tokens of the one text.
 *
 * White space at the end of a prompt counts to the continuations, whose first token mostly holds it. Where a continuation changes the
 * prompt's last tokens, all continuations begin before them, so that they stay comparable.
 */
function splitContinuations(
  { model, tokenizer }: Loaded,
  { prompt, continuations, place = 'the prompt' }: ScoreRequest,
  chat: TextOptions['chat'],
): Split {
  const { text, addSpecialTokens } = promptText(model, prompt, chat);
  const idsOf = (written: string, special: boolean) => {
    const encoding = tokenizer.encode(written, { addSpecialTokens: special });
    return { ids: encoding.ids, special: encoding.specialTokensMask };
  };
  if (isEncoderDecoder(model.network)) {
    const completions = continuations.map((continuation) => idsOf(continuation, false).ids);
    return checked({ prompt: idsOf(text, addSpecialTokens).ids, completions }, 1);
  }
  const bare = text.trimEnd();
  const context = idsOf(bare, addSpecialTokens).ids;
  const wholes = continuations.map((continuation) => {
    const { ids, special } = idsOf(text + continuation, addSpecialTokens);
    // An end token that the tokenizer puts behind a text is not part of the continuation.
    return ids.slice(0, special.lastIndexOf(0) + 1);
  });
  const shared = wholes.reduce(
    (least, ids) => Math.min(least, sharedLength(context, ids)),
    context.length,
  );
  const split = {
    prompt: wholes[0]?.slice(0, shared) ?? [],
    completions: wholes.map((ids) => ids.slice(shared)),
  };
  return checked(split, shared);

  function checked(made: Split, inputs: number): Split {
    if (made.prompt.length === 0) {
      throw new InputError(
        `${place}: has no token before '${continuations[0]}'; expected at least one`,
      );
    }
    for (const [n, { length }] of made.completions.entries()) {
      if (length === 0) {
        throw new InputError(
          `${place}: the tokenizer makes no token of '${continuations[n]}'; expected at least one`,
        );
      }
      // The last token is not read.
      const read = inputs + length - 1;
      if (read > model.network.maxLength || made.prompt.length > model.network.maxLength) {
        throw new InputError(
          `${place}: has ${made.prompt.length} tokens, and '${continuations[n]}' ${length}; the model's context holds ${model.network.maxLength} before the last`,
        );
      }
    }
    return made;
  }
}

/** A prompt as one text, and whether the tokenizer's special tokens stand around it. */
function promptText(
  { chatTemplate }: TextModel,
  prompt: Prompt,
  chat: TextOptions['chat'],
): { text: string; addSpecialTokens: boolean } {
  if (typeof prompt === 'string') return { text: prompt, addSpecialTokens: true };
  if (!chatTemplate) {
    throw new InputError(
      'the prompt is messages, but the model has no chat template; expected a text',
    );
  }
  const text = chatTemplate.applyChatTemplate(prompt, { ...chat, addGenerationPrompt: true });
  return { text, addSpecialTokens: false };
}
