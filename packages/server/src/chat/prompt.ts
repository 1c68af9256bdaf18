import type { Constraint } from '@headwise/generation';
import { promptIds, readsTools, toolCallForm } from '@headwise/text';
import type { ChatMessage } from '@headwise/tokenizers';
import { ApiError } from '../http/api-error.js';
import type { ServedDecoder } from '../service.js';
import { callConstraint, grammarOf, needsCallForm } from './answer-form.js';
import type { Calling } from './tools.js';

export interface ChatPromptOptions {
  /** Functions that the model may call; default none. */
  calling?: Calling | undefined;
  /** The JSON schema of a text; default any text. */
  textSchema?: unknown;
  /** Further variables of the template. */
  variables?: Readonly<Record<string, unknown>> | undefined;
}

/** What a model continues to answer messages. */
export interface ChatPrompt {
  readonly prompt: readonly number[];
  /** What holds the answer to its form; undefined for any text. */
  readonly constraint: Constraint | undefined;
}

/**
 * The ids of messages, as the model's chat template writes them, and the form of the answer.
 *
 * @throws ApiError 400 for a model without a chat template, and for functions that it does not write or cannot be held to
 */
export function chatPrompt(
  { name, model, tokenizer }: ServedDecoder,
  messages: readonly ChatMessage[],
  { calling, textSchema, variables }: ChatPromptOptions = {},
): ChatPrompt {
  const { chatTemplate } = model;
  if (!chatTemplate) {
    throw new ApiError(
      400,
      `the model '${name}' has no chat template; /v1/completions continues texts`,
      { param: 'model' },
    );
  }
  if (calling && !readsTools(chatTemplate, messages, calling.tools)) {
    throw new ApiError(400, `the chat template of '${name}' does not write tools; leave them out`, {
      param: 'tools',
    });
  }
  const options = {
    ...(calling ? { tools: calling.tools } : {}),
    ...(variables ? { variables } : {}),
  };
  const prompt = promptIds(model, tokenizer, messages, options);
  const grammar = grammarOf(tokenizer);
  if (!calling || !needsCallForm(calling, textSchema)) {
    const constraint = textSchema === undefined ? undefined : grammar.jsonSchema(textSchema);
    return { prompt, constraint };
  }
  const form = toolCallForm(chatTemplate, tokenizer, messages, { tools: calling.tools, variables });
  const forced = calling.choice !== 'auto';
  // Where the model chooses, it writes what comes before a call itself: the constraint lets no special token through.
  const isHeld = form && (forced || !hasSpecial(form.lead, tokenizer));
  if (!isHeld) {
    throw new ApiError(
      400,
      `calls cannot be held to the form in which '${name}' writes them; expected tool_choice 'auto' or 'none', functions without strict, and tools without a format of the text`,
      { param: forced ? 'tool_choice' : 'tools' },
    );
  }
  const constraint = callConstraint(grammar, form, calling, textSchema);
  if (!forced || form.lead === '') return { prompt, constraint };
  const lead = tokenizer.encode(form.lead, { addSpecialTokens: false }).ids;
  return { prompt: [...prompt, ...lead], constraint };
}

const hasSpecial = (text: string, { addedTokens }: ServedDecoder['tokenizer']): boolean =>
  addedTokens.some(({ special, content }) => special && text.includes(content));
