import { InputError } from '@headwise/core';
import type { Constraint } from '@headwise/generation';
import { createGrammar, type Grammar } from '@headwise/grammar';
import type { ToolCallForm } from '@headwise/text';
import type { Tokenizer } from '@headwise/tokenizers';
import { ApiError } from '../http/api-error.js';
import type { Calling, FunctionTool } from './tools.js';

const grammars = new WeakMap<Tokenizer, Grammar>();

/** The grammars of a tokenizer; what they compiled is kept with it. */
export function grammarOf(tokenizer: Tokenizer): Grammar {
  const grammar = grammars.get(tokenizer) ?? createGrammar(tokenizer);
  grammars.set(tokenizer, grammar);
  return grammar;
}

/** Whether tokens must be held to a form so that an answer calls functions as it is asked to. */
export const needsCallForm = (
  { choice, strict }: Calling,
  textSchema: unknown | undefined,
): boolean => choice !== 'auto' || strict.size > 0 || textSchema !== undefined;

/**
 * Holds an answer to calls of functions, or where the model may choose to a text or calls.
 *
 * @param textSchema a JSON schema that a text is held to; undefined for any text
 * @throws ApiError 400 naming a strict function whose schema is not supported
 */
export function callConstraint(
  grammar: Grammar,
  form: ToolCallForm,
  calling: Calling,
  textSchema: unknown | undefined,
): Constraint {
  const { choice, most, tools } = calling;
  const named = typeof choice === 'object';
  const callable = named ? tools.filter((tool) => tool.function.name === choice.name) : tools;
  const quoted = (text: string) => literal(text, form.id);
  const schemas: Record<string, unknown> = {};
  const calls = callable.map((tool, n) => {
    schemas[`arguments${n}`] = argumentsSchema(grammar, tool, calling.strict);
    const name = JSON.stringify(tool.function.name).slice(1, -1);
    return `${quoted(`${name}${form.middle}`)} arguments${n}`;
  });
  const more = form.between === undefined || most === 1 ? '' : ` (${quoted(form.between)} call)*`;
  const rules = [
    `calls ::= ${quoted(form.begin)} call${more} ${quoted(form.end)}`,
    `call ::= ${calls.join(' | ')}`,
  ];
  if (choice !== 'auto') rules.push('root ::= calls');
  else if (textSchema !== undefined) {
    rules.push('root ::= calls | answer');
    schemas.answer = textSchema;
  } else {
    rules.push(form.begin.trimStart().startsWith(mark) ? textThenCalls : textOrCalls);
  }
  return grammar.ebnf(rules.join('\n'), schemas);
}

const anyArguments = { type: 'object', additionalProperties: true };

/** The schema that arguments are held to: best effort unless the function is strict. */
function argumentsSchema(
  grammar: Grammar,
  { function: { name, parameters } }: FunctionTool,
  strict: ReadonlySet<string>,
): unknown {
  try {
    grammar.jsonSchema(parameters ?? anyArguments);
    return parameters ?? anyArguments;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    if (!strict.has(name)) return anyArguments;
    throw new ApiError(400, `the parameters of the function '${name}': ${error.message}`, {
      param: 'tools',
    });
  }
}

const mark = '<tool_call>';

/** `mark.slice(at)` does not begin here: after a `<`, the text differs from it, or ends. */
const unmarked = (at: number): string =>
  at === mark.length - 1
    ? `([^${mark[at]}<] [^<]*)?`
    : `([^${mark[at]}<] [^<]* | "${mark[at]}" ${unmarked(at + 1)})?`;

/** Text without the mark, and calls behind it. */
const textThenCalls = `root ::= [^<]* ("<" ${unmarked(1)})* calls?`;

/** Text that cannot be taken for calls, which have no mark. */
const textOrCalls = 'root ::= [ \\n\\r\\t]* ([^ \\n\\r\\t\\[{] .*)? | calls';

/** A text in EBNF; where it has the id of a call, any id of the same form. */
function literal(text: string, id: string | undefined): string {
  const parts = id === undefined ? [text] : text.split(id);
  return parts.map((part) => JSON.stringify(part)).join(' [a-zA-Z0-9]{9} ');
}
