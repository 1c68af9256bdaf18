import { InputError } from '@headwise/core';
import { type ChatTemplate, type MarkedChat, TokenizerError } from '@headwise/tokenizers';

/**
 * A chat as the text of its template, with the assistant's turns: what it marks by `{% generation %}`, else from each prompt on.
 *
 * @throws InputError naming the example, for a model without a chat template and a chat that it cannot write
 */
export function chatTurns(
  template: ChatTemplate | undefined,
  messages: [],
  { place, tools }: { place: number; tools?: [] | undefined },
): MarkedChat {
  if (!template) {
    throw new InputError(
      "the examples are chats and the model's folder has no chat template; expected chat_template.jinja, or examples with 'prompt' and 'completion'",
    );
  }
  try {
    // What a template writes of the time must not differ from one call to the next.
    return template.assistantTurns(messages, { tools, now: new Date(0) });
  } catch (error) {
    if (!(error instanceof TokenizerError)) throw error;
    throw new InputError(`example ${place}: ${error.message}`, { cause: error });
  }
}
