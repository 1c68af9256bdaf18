import type { TextOptions } from '@headwise/text';
import type { PromptTemplate } from '../template.js';
import type { Extractor } from './extract.js';
import { pipe, type Step, type WriteSlotOptions, writeSlot } from './steps.js';

/** Options of `chainOfThought`, and of generation of the reasoning. */
export interface ChainOfThoughtOptions<T> extends TextOptions {
  /** What asks for reasoning, behind the question. Default `Let's think step by step.` */
  reason?: string | undefined;
  /** What asks for the answer, behind the reasoning. Default `Therefore, the answer is`. */
  conclude?: string | undefined;
  /** Finds the answer in what the model writes then. Default its text, without white space around it. */
  extract?: Extractor<T> | undefined;
  /** Generation of the answer, where it differs from that of the reasoning. */
  conclusion?: Omit<WriteSlotOptions<T>, 'extract'> | undefined;
}

/** What a chain of thought adds to the values. */
export interface Thought<T> {
  readonly reasoning: string;
  readonly answer: T;
}

/**
 * A step in two prompts: the model reasons about a question, then it is asked for the answer behind its reasoning.
 *
 * Where both together are too long, the beginning of the reasoning is left out of the second prompt first.
 *
 * @throws InputError, when run, as `writeSlot` does
 * @see Wei et al. 2022, https://arxiv.org/abs/2201.11903
 * @see Kojima et al. 2022, https://arxiv.org/abs/2205.11916
 * @example
 * const step = chainOfThought(question, { maxNewTokens: 200, extract: byPattern(/-?\d+/, { which: 'first' }) });
 * const { values } = await runStep(step, { question: 'What is 6 × 7?' }, model);
 */
export function chainOfThought<Values extends object, T = string>(
  question: PromptTemplate<Values>,
  { reason, conclude, extract, conclusion, ...options }: ChainOfThoughtOptions<T> = {},
): Step<Values, Thought<T>> {
  const { asked, concluded } = thoughtPrompts(question, { reason, conclude });
  return pipe(
    writeSlot(asked, 'reasoning', options),
    writeSlot(concluded as PromptTemplate<object>, 'answer', {
      ...options,
      ...conclusion,
      extract,
    }),
  ) as Step<Values, Thought<T>>;
}

/** The two prompts of a chain of thought: one that asks for reasoning, and one with it that asks for the answer. */
export function thoughtPrompts<Values extends object>(
  question: PromptTemplate<Values>,
  {
    reason = "Let's think step by step.",
    conclude = 'Therefore, the answer is',
  }: Pick<ChainOfThoughtOptions<unknown>, 'reason' | 'conclude'>,
): {
  asked: PromptTemplate<Values>;
  concluded: PromptTemplate<Values & { readonly reasoning: string }>;
} {
  const slots = { reasoning: { cut: 'start', priority: -1 } } as const;
  const asked = question.followedBy(question.kind === 'text' ? ` ${reason}` : `\n${reason}`);
  const concluded =
    question.kind === 'text'
      ? asked.followedBy(` {{reasoning}}\n${conclude}`, slots)
      : asked.followedBy(
          [
            { role: 'assistant', content: '{{reasoning}}' },
            { role: 'user', content: conclude },
          ],
          slots,
        );
  return { asked, concluded } as unknown as ReturnType<typeof thoughtPrompts<Values>>;
}
