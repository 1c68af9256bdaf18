import { InputError } from '@headwise/core';
import type { TextOptions } from '@headwise/text';
import { byOption, byPattern, type Extractor } from '../answers/extract.js';
import type { Normalization } from '../options/normalization.js';
import { parseText, slotsOf } from '../parse.js';
import type { Slot, TextSlot } from '../slots.js';
import { defineTask, type Task } from '../task.js';
import { type PromptValues, placeOf } from '../template.js';

/** A prompt that is tried: a task, and how its answers are found and judged. All of it can stand in a JSON file. */
export interface TrialPromptDefinition {
  /** What reports name it by. */
  readonly name: string;
  /** Stands before everything; in a chat the system's message. Default nothing. */
  readonly instruction?: string | undefined;
  /** A question with slots, as of `defineTask`. */
  readonly question: string;
  /** What follows a question that is answered, with the slot of the label. */
  readonly answer: string;
  /** Default `'text'`. */
  readonly as?: 'text' | 'messages' | undefined;
  /** Stands between two examples, and around them. Default a blank line. */
  readonly separator?: string | undefined;
  /** What the slots take: `{ sentiment: { oneOf: ['Positive', 'Negative'] } }` gives the labels. Default a text for each. */
  readonly slots?: Readonly<Record<string, Slot>> | undefined;
  /** The slot of the answer that is judged. Default the only one. */
  readonly label?: string | undefined;
  /**
   * `'score'`: the likeliest of the labels that the label's slot names in `oneOf`; `'write'`: what the model writes. Default `'score'` where there
   * are labels.
   */
  readonly by?: 'score' | 'write' | undefined;
  /** Of scores. Default `'sum'`. */
  readonly normalization?: Normalization | undefined;
  /** Values for the question that say nothing, such as `{ review: 'N/A' }`: scores are calibrated by them. Default none. */
  readonly contentFree?: readonly PromptValues[] | undefined;
  /** A regular expression whose first group, or all of it, is the label in a written answer; its last match counts. */
  readonly pattern?: string | undefined;
  /** Tokens of a written answer. Default 32. */
  readonly maxNewTokens?: number | undefined;
  /** What ends a written answer. Default a line end, where the answer's text before its label has none. */
  readonly stop?: TextOptions['stop'] | undefined;
  /** Of a chain of thought, as of `chainOfThought`. */
  readonly reason?: string | undefined;
  readonly conclude?: string | undefined;
  /** Tokens of the reasoning. Default 256. */
  readonly reasoningTokens?: number | undefined;
}

/** A prompt that is tried, checked. Made by `defineTrialPrompt`. */
export interface TrialPrompt {
  readonly name: string;
  readonly definition: TrialPromptDefinition;
  readonly task: Task<PromptValues, PromptValues>;
  /** The slot that is judged. */
  readonly label: string;
  readonly by: 'score' | 'write';
  /** The labels that it chooses from. */
  readonly options?: readonly string[] | undefined;
  /** The answer's text before and behind its label. */
  readonly lead: string;
  readonly end: string;
  /** Finds the label in a written answer. */
  readonly extract: Extractor<string>;
}

/**
 * A prompt to try, from its description.
 *
 * @param extract finds the label in a written answer; default the definition's `pattern`, the last label that it names, or the answer itself
 * @throws InputError as `defineTask`; for an answer without a slot, or with several and no `label`; where scores are asked for and there are no two
 * labels, or other slots in the answer; for a pattern that is none, and for settings of the other way to answer
 * @example
 * const prompt = defineTrialPrompt({
 *   name: 'sentiment',
 *   question: 'Review: {{review}}\nSentiment:',
 *   answer: ' {{sentiment}}',
 *   slots: { sentiment: { oneOf: ['Positive', 'Negative'] } },
 * });
 */
export function defineTrialPrompt(
  definition: TrialPromptDefinition,
  { extract }: { extract?: Extractor<string> | undefined } = {},
): TrialPrompt {
  const { name, instruction, question, answer, as, separator, slots = {} } = definition;
  const where = placeOf(name);
  const pieces = parseText(answer, where);
  const answerSlots = slotsOf(pieces);
  const label = definition.label ?? answerSlots[0];
  if (label === undefined || !answerSlots.includes(label)) {
    const given = label === undefined ? 'has no slot' : `has no slot '${label}'`;
    throw new InputError(`${where}: its answer ${given}; expected the slot of the label`);
  }
  if (definition.label === undefined && answerSlots.length > 1) {
    throw new InputError(
      `${where}: its answer has ${answerSlots.length} slots (${answerSlots.join(', ')}); expected one, or its name in 'label'`,
    );
  }
  const options = (slots[label] as TextSlot | undefined)?.oneOf;
  const by = definition.by ?? (options ? 'score' : 'write');
  if (by === 'score') checkScored(definition, { label, options, answerSlots });
  else checkWritten(definition);
  const at = pieces.findIndex((piece) => typeof piece !== 'string' && piece.slot === label);
  const textOf = (part: typeof pieces) =>
    part.map((piece) => (typeof piece === 'string' ? piece : '')).join('');
  const [lead, end] = [textOf(pieces.slice(0, at)), textOf(pieces.slice(at + 1))];
  // An example that a budget leaves out would make it a trial of fewer.
  const examples = { whole: true };
  const task = defineTask({ name, instruction, question, answer, as, separator, slots, examples });
  return {
    ...{ name, definition, label, by, options, lead, end },
    task: task as unknown as TrialPrompt['task'],
    extract: extract ?? extractorOf(definition, { options, lead, end }),
  };
}

interface Found {
  readonly label: string;
  readonly options: readonly string[] | undefined;
  readonly answerSlots: readonly string[];
}

function checkScored(
  { name, pattern, maxNewTokens, stop }: TrialPromptDefinition,
  { label, options = [], answerSlots }: Found,
): void {
  const where = placeOf(name);
  if (options.length < 2) {
    throw new InputError(
      `${where}: slot '${label}' has ${options.length} labels to score; expected at least two in 'oneOf', or by: 'write'`,
    );
  }
  if (answerSlots.length > 1) {
    throw new InputError(
      `${where}: its answer has other slots than the label '${label}', which cannot be scored; expected by: 'write'`,
    );
  }
  for (const [key, value] of Object.entries({ pattern, maxNewTokens, stop })) {
    if (value === undefined) continue;
    throw new InputError(
      `${where}: '${key}' is given and answers are scored; expected by: 'write'`,
    );
  }
}

function checkWritten({ name, normalization, contentFree }: TrialPromptDefinition): void {
  for (const [key, value] of Object.entries({ normalization, contentFree })) {
    if (value === undefined) continue;
    throw new InputError(
      `${placeOf(name)}: '${key}' is given and answers are written; expected by: 'score'`,
    );
  }
}

function extractorOf(
  { name, pattern }: TrialPromptDefinition,
  { options, lead, end }: Pick<TrialPrompt, 'options' | 'lead' | 'end'>,
): Extractor<string> {
  if (pattern !== undefined) {
    try {
      return byPattern(new RegExp(pattern, 'u'));
    } catch (error) {
      throw new InputError(
        `${placeOf(name)}: 'pattern' is no regular expression: ${(error as Error).message}`,
        { cause: error },
      );
    }
  }
  if (options) return byOption(options);
  const [before, behind] = [lead.trim(), end.trim()];
  return (answer) => {
    let text = answer.trim();
    if (before && text.startsWith(before)) text = text.slice(before.length);
    if (behind && text.endsWith(behind)) text = text.slice(0, -behind.length);
    return text.trim() === '' ? { problem: 'the answer is empty' } : { value: text.trim() };
  };
}
