import { promptIds, readsTools } from '@headwise/text';
import type { ChatMessage } from '@headwise/tokenizers';
import { ApiError } from '../http/api-error.js';
import type { ServedModel } from '../service.js';

/** A function that a model may call, as chat templates read it. */
export interface FunctionTool {
  type: 'function';
  function: {
    name: string;
    description?: string | undefined;
    /** The JSON schema of its arguments. */
    parameters?: Record<string, unknown> | undefined;
  };
}

export interface ChatPromptOptions {
  /** Functions that the model is told of; default none. */
  tools?: readonly FunctionTool[] | undefined;
  /** Further variables of the template. */
  variables?: Readonly<Record<string, unknown>> | undefined;
}

/**
 * The ids of messages, as the model's chat template writes them.
 *
 * @throws ApiError 400 for a model without a chat template, and for functions that the template does not write
 */
export function chatPrompt(
  { name, model, tokenizer }: ServedModel,
  messages: readonly ChatMessage[],
  { tools, variables }: ChatPromptOptions = {},
): number[] {
  const { chatTemplate } = model;
  if (!chatTemplate) {
    throw new ApiError(
      400,
      `the model '${name}' has no chat template; /v1/completions continues texts`,
      { param: 'model' },
    );
  }
  if (tools && !readsTools(chatTemplate, messages, tools)) {
    throw new ApiError(400, `the chat template of '${name}' does not write tools; leave them out`, {
      param: 'tools',
    });
  }
  return promptIds(model, tokenizer, messages, {
    ...(tools ? { tools } : {}),
    ...(variables ? { variables } : {}),
  });
}
