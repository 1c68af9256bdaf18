import { InputError } from '@headwise/core';
import type { ExampleMessage } from '@headwise/data';
import type { ChatMessage, ChatTemplate } from '@headwise/tokenizers';

/**
 * A conversation as the text of its chat template, and where the assistant's turns stand in it: from where the template asks for an
 * answer to the end of the turn.
 *
 * @param place of the example, for errors
 * @throws InputError where the template does not write a conversation turn by turn, so that the turns cannot be told apart
 */
export function assistantSpans(
  template: ChatTemplate,
  messages: readonly ExampleMessage[],
  { place, tools }: { place: number; tools?: readonly unknown[] | undefined },
): { text: string; spans: [start: number, end: number][] } {
  // What a template writes of the time must not differ from one call to the next.
  const now = new Date(0);
  const written = (end: number, addGenerationPrompt: boolean) =>
    template.applyChatTemplate(messages.slice(0, end) as ChatMessage[], {
      addGenerationPrompt,
      tools,
      now,
    });
  const text = written(messages.length, false);
  const spans: [number, number][] = [];
  for (const [i, { role }] of messages.entries()) {
    if (role !== 'assistant') continue;
    const [before, after] = [i === 0 ? '' : written(i, true), written(i + 1, false)];
    if (!after.startsWith(before) || !text.startsWith(after)) {
      throw new InputError(
        `example ${place}: the chat template does not write turn ${i} as a continuation of those before it, so the assistant's part cannot be told apart`,
      );
    }
    spans.push([before.length, after.length]);
  }
  return { text, spans };
}
