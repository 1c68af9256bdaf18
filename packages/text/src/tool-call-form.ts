import type { ChatMessage, ChatTemplate, Tokenizer } from '@headwise/tokenizers';
import { ToolCallParser } from './tool-calls.js';

/**
 * The texts around the calls of functions in an answer.
 *
 * With `n` and `a` the name and the JSON arguments of each call, the answer is `lead begin n middle a (between n middle a)* end`.
 */
export interface ToolCallForm {
  /** What an answer that is a call has before `begin`: special tokens, or empty reasoning. */
  readonly lead: string;
  readonly begin: string;
  readonly middle: string;
  /** Undefined where an answer holds one call. */
  readonly between: string | undefined;
  readonly end: string;
  /** What stands in these texts for the id of a call, nine letters and digits; undefined where they have none. */
  readonly id: string | undefined;
}

export interface ToolCallFormOptions {
  /** Functions that the model is told of, in OpenAI's form. */
  tools: readonly unknown[];
  /** Further variables of the template. */
  variables?: Readonly<Record<string, unknown>> | undefined;
}

const names = ['headwise_first', 'headwise_second'];
const said = 'headwise_said';
const values = /\{\s*"headwise_key"\s*:\s*"headwise_value"\s*\}/;
/** The templates of Mistral take nine letters and digits only. */
const id = 'headwise0';

/**
 * How a model's answer to messages calls functions, found by letting its chat template write such an answer.
 *
 * @returns undefined where the template writes no calls, or in another form than `ToolCallParser` reads, such as XML
 * @throws TokenizerError where the template refuses the messages
 * @example
 * toolCallForm(template, tokenizer, messages, { tools }); // Qwen2.5: { lead: '', begin: '<tool_call>\n{"name": "', middle: '", "arguments": ', … }
 */
export function toolCallForm(
  template: ChatTemplate,
  tokenizer: Pick<Tokenizer, 'addedTokens'>,
  messages: readonly ChatMessage[],
  { tools, variables }: ToolCallFormOptions,
): ToolCallForm | undefined {
  const now = new Date();
  const written = (answer: ChatMessage | undefined): string =>
    template.applyChatTemplate(answer ? [...messages, answer] : messages, {
      tools,
      variables,
      now,
      addGenerationPrompt: !answer,
    });
  const prompt = written(undefined);
  /** What the template writes of an answer after the prompt. */
  const answered = (answer: Omit<ChatMessage, 'role'>): string | undefined => {
    try {
      const text = written({ role: 'assistant', ...answer });
      return text.startsWith(prompt) ? text.slice(prompt.length) : undefined;
    } catch {
      return undefined;
    }
  };
  const text = answered({ content: said });
  const one = answered({ content: '', tool_calls: [callOf(0)] });
  if (text === undefined || one === undefined) return undefined;
  // What ends a turn follows texts and calls alike.
  const turnEnd = text.slice(text.lastIndexOf(said) + said.length);
  const parts = partsOf(one, turnEnd, 1);
  if (!parts) return undefined;
  const special = tokenizer.addedTokens.filter((token) => token.special);
  const [head, middle, end] = parts as [string, string, string];
  const at = startOf(
    head,
    special.map(({ content }) => content),
  );
  const form = {
    lead: head.slice(0, at),
    begin: head.slice(at),
    middle,
    between: betweenOf(
      answered({ content: '', tool_calls: [callOf(0), callOf(1)] }),
      turnEnd,
      parts,
    ),
    end,
    id: one.includes(id) ? id : undefined,
  };
  const isPlain = [form.begin, middle, form.between ?? '', end].every((part) =>
    special.every(({ content }) => !part.includes(content)),
  );
  if (!isPlain) return undefined;
  return [form, { ...form, between: undefined }].find(isRead);
}

/** A call with a name and arguments that are found again. */
const callOf = (n: number): object => ({
  id,
  type: 'function',
  function: { name: names[n], arguments: { headwise_key: 'headwise_value' } },
});

/** The texts around names and arguments in an answer; undefined where they are not in order. */
function partsOf(answer: string, turnEnd: string, count: number): string[] | undefined {
  if (!answer.endsWith(turnEnd)) return undefined;
  let rest = answer.slice(0, answer.length - turnEnd.length);
  const parts: string[] = [];
  for (const name of names.slice(0, count)) {
    const at = rest.indexOf(name);
    const found = values.exec(rest);
    if (at < 0 || !found || found.index < at) return undefined;
    parts.push(rest.slice(0, at), rest.slice(at + name.length, found.index));
    rest = rest.slice(found.index + found[0].length);
  }
  return [...parts, rest];
}

/** What stands between two calls; undefined where the template writes two in another form than one. */
function betweenOf(
  two: string | undefined,
  turnEnd: string,
  [head, middle, end]: readonly string[],
): string | undefined {
  const [first, after, between, again, last] = (two && partsOf(two, turnEnd, 2)) || [];
  const isSame = first === head && after === middle && again === middle;
  return isSame && last === end ? between : undefined;
}

/** Where the text of a call begins: behind special tokens and reasoning. A space belongs to the token that follows it. */
function startOf(head: string, special: readonly string[]): number {
  const from = Math.max(
    0,
    ...special.map((token) => {
      const at = head.lastIndexOf(token);
      return at < 0 ? 0 : at + token.length;
    }),
  );
  const at = head.slice(from).search(/ *(<tool_call>|[{[])/);
  return from + Math.max(0, at);
}

/** Whether calls in this form are found. */
function isRead({ begin, middle, between, end }: ToolCallForm): boolean {
  const calls = between === undefined ? names.slice(0, 1) : names;
  const parser = new ToolCallParser(calls);
  const answer = `${begin}${calls.map((name) => `${name}${middle}{}`).join(between)}${end}`;
  const found = [...parser.push(answer), ...parser.end()];
  return (
    found.length === calls.length &&
    found.every((piece, i) => 'call' in piece && piece.call.name === calls[i])
  );
}
