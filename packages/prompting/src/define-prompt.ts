import { InputError } from '@headwise/core';
import type { ChatMessage } from '@headwise/tokenizers';
import type { Slot, SlotNames } from './slots.js';
import {
  type MessageValues,
  type PromptDefinition,
  PromptTemplate,
  type PromptValues,
  placeOf,
  type ValuesOf,
} from './template.js';
import { describedSlots, parseParts, type TemplateMessage } from './template-parts.js';

/**
 * A prompt with slots, `{{name}}`, whose values the compiler checks: a text, or the messages of a chat.
 *
 * @throws InputError for a slot that is described and not in the prompt, `{{` that begins no slot, no messages, and a slot of
 * messages within a text
 * @example
 * const review = definePrompt({ name: 'review', text: 'Classify this review: {{review}}\nSentiment:' });
 * review.write({ review: 'I loved this movie!' });
 */
export function definePrompt<
  const Text extends string,
  const Slots extends Readonly<Record<string, Slot>> = Readonly<Record<never, Slot>>,
>(
  definition: PromptDefinition<Slots> & { readonly text: Text },
): PromptTemplate<ValuesOf<SlotNames<Text>, Slots>, string>;
export function definePrompt<
  const Messages extends readonly TemplateMessage[],
  const Slots extends Readonly<Record<string, Slot>> = Readonly<Record<never, Slot>>,
>(
  definition: PromptDefinition<Slots> & { readonly messages: Messages },
): PromptTemplate<MessageValues<Messages, Slots>, readonly ChatMessage[]>;
export function definePrompt({
  name,
  text,
  messages = [],
  slots = {},
}: PromptDefinition & {
  readonly text?: string;
  readonly messages?: readonly TemplateMessage[];
}): PromptTemplate<PromptValues> {
  const where = placeOf(name);
  if (text === undefined && messages.length === 0) {
    throw new InputError(`${where}: there are no messages; expected at least one, or a text`);
  }
  const parts = parseParts(text ?? messages, where);
  return new PromptTemplate(name, describedSlots(parts, slots, where), parts);
}
