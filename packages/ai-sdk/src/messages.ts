import {
  type LanguageModelV4Message,
  type LanguageModelV4Prompt,
  type LanguageModelV4ToolResultPart,
  UnsupportedFunctionalityError,
} from '@ai-sdk/provider';
import type { ChatMessage } from '@headwise/tokenizers';

/**
 * The messages of the AI SDK as chat templates read them: texts, reasoning, tool calls and their results.
 *
 * @throws UnsupportedFunctionalityError for files and for what only servers do
 */
export function chatMessages(prompt: LanguageModelV4Prompt): ChatMessage[] {
  return prompt.flatMap(chatMessage);
}

function chatMessage(message: LanguageModelV4Message): ChatMessage[] {
  switch (message.role) {
    case 'system':
      return [{ role: 'system', content: message.content }];
    case 'user':
      return [{ role: 'user', content: message.content.map(textOf).join('') }];
    case 'assistant':
      return [assistantMessage(message.content)];
    case 'tool':
      return message.content.map((part) => {
        if (part.type !== 'tool-result') return refuse(`a part of type '${part.type}'`);
        const { toolName: name, toolCallId: tool_call_id } = part;
        return { role: 'tool', name, tool_call_id, content: outputOf(part) };
      });
  }
}

type Part = Exclude<LanguageModelV4Message['content'], string>[number];
type AssistantMessage = Extract<LanguageModelV4Message, { role: 'assistant' }>;

function assistantMessage(parts: AssistantMessage['content']): ChatMessage {
  const [texts, thoughts, calls]: [string[], string[], unknown[]] = [[], [], []];
  for (const part of parts) {
    if (part.type === 'reasoning') thoughts.push(part.text);
    else if (part.type === 'tool-call') {
      const { toolCallId: id, toolName: name, input } = part;
      calls.push({ id, type: 'function', function: { name, arguments: input } });
    } else texts.push(textOf(part));
  }
  return {
    role: 'assistant',
    content: texts.join(''),
    ...(thoughts.length > 0 ? { reasoning_content: thoughts.join('') } : {}),
    ...(calls.length > 0 ? { tool_calls: calls } : {}),
  };
}

function textOf(part: Part): string {
  if (part.type === 'text') return part.text;
  return refuse(
    part.type === 'file' ? `a file of type '${part.mediaType}'` : `a part of type '${part.type}'`,
  );
}

/** What a tool gave, as a text. */
function outputOf({ output }: LanguageModelV4ToolResultPart): string {
  switch (output.type) {
    case 'text':
    case 'error-text':
      return output.value;
    case 'json':
    case 'error-json':
      return JSON.stringify(output.value);
    case 'execution-denied':
      return output.reason ?? 'The call was denied.';
    case 'content':
      return output.value
        .map((part) =>
          part.type === 'text'
            ? part.text
            : refuse(`a part of type '${part.type}' in a tool's result`),
        )
        .join('');
  }
}

function refuse(what: string): never {
  throw new UnsupportedFunctionalityError({
    functionality: what,
    message: `the prompt has ${what}; expected texts, which is all that the model reads`,
  });
}
