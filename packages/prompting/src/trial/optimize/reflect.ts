import type { TextOptions } from '@headwise/text';
import { definePrompt } from '../../define-prompt.js';
import { fitPrompt } from '../../fit.js';
import type { PromptModel } from '../../prompt-model.js';
import { type TrialExample, valuesFor } from '../plan.js';
import type { TrialRecord } from '../record.js';
import type { TrialPrompt } from '../trial-prompt.js';

/** How instructions are rewritten. */
export interface ReflectionOptions {
  /** The model that rewrites. Default the one that answers. */
  readonly model?: PromptModel | undefined;
  /** Questions that a rewriting is made from and judged by first. Default 4. */
  readonly questions?: number | undefined;
  /** Tokens of an instruction. Default 256. */
  readonly maxNewTokens?: number | undefined;
  /** Default 1, so that two rewritings differ. */
  readonly temperature?: number | undefined;
}

/** What a model wrote in place of an instruction. */
export interface Reflection {
  /** The instruction, or why there is none. */
  readonly instruction?: string | undefined;
  readonly problem?: string | undefined;
  readonly prompt: string;
  readonly answer: string;
  readonly promptTokens: number;
  readonly answerTokens: number;
}

const rewrite = definePrompt({
  name: 'reflection',
  text: `A model answers questions by this instruction:
\`\`\`
{{instruction}}
\`\`\`
These answers of it are wrong:

{{failures}}

Write a better instruction: say in general what the wrong answers show to be missing, without repeating these questions. Write nothing but the instruction, between lines of \`\`\`.
\`\`\`
`,
  slots: {
    instruction: { whole: true },
    failures: { kind: 'list', separator: '\n\n', least: 1 },
  },
});

/** Has a model rewrite an instruction from questions that were answered wrong. */
export async function reflect(
  model: PromptModel,
  prompt: TrialPrompt,
  failures: readonly { readonly example: TrialExample; readonly record: TrialRecord }[],
  options: Required<Pick<TextOptions, 'maxNewTokens' | 'temperature' | 'seed'>> & {
    readonly signal?: AbortSignal | undefined;
  },
): Promise<Reflection> {
  const before = prompt.definition.instruction ?? '';
  const values = {
    instruction: before === '' ? '(none)' : before,
    failures: failures.map(({ example, record }) => {
      const question = prompt.task.question.write(questionOnly(prompt, example));
      const given = record.answer ?? record.calls.at(-1)?.answer?.trim() ?? '';
      return `${question}\nIts answer: ${given}\nThe right answer: ${record.expected}`;
    }),
  };
  const text =
    model.contextLength === Number.POSITIVE_INFINITY
      ? rewrite.write(values)
      : fitPrompt(rewrite, values, model, { answer: options.maxNewTokens }).prompt;
  const [written] = await model.write([text], { ...options, stop: '\n```' });
  const { text: answer, promptTokens, tokens } = written!;
  return {
    ...instructionOf(answer, before),
    ...{ prompt: text, answer, promptTokens, answerTokens: tokens },
  };
}

function questionOnly(prompt: TrialPrompt, example: TrialExample) {
  const { question } = valuesFor(prompt, example);
  const own = Object.entries(question).filter(([name]) =>
    Object.hasOwn(prompt.task.question.slots, name),
  );
  return Object.fromEntries(own);
}

/** The text between the lines of the fence, which the prompt has opened and a model may open again. */
function instructionOf(
  answer: string,
  before: string,
): { instruction: string } | { problem: string } {
  const [, fenced] = /^\s*```[^\n]*\n([\s\S]*)$/.exec(answer) ?? [];
  const text = (fenced ?? answer).replace(/```[\s\S]*$/, '').trim();
  if (text === '') return { problem: 'the answer is empty' };
  if (text === before.trim()) return { problem: 'the answer repeats the instruction' };
  if (text.includes('{{')) return { problem: "the answer has '{{', which begins a slot" };
  return { instruction: text };
}
