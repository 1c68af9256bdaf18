import { ApiError } from '../http/api-error.js';

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

/** Whether the model may call functions: not, as it likes, at least one, or a certain one. */
export type ToolChoice = 'none' | 'auto' | 'required' | { readonly name: string };

/** The functions of a request, and how an answer calls them. */
export interface Calling {
  readonly tools: readonly FunctionTool[];
  /** The names of those whose arguments are held to their schema. */
  readonly strict: ReadonlySet<string>;
  readonly choice: Exclude<ToolChoice, 'none'>;
  /** The most calls of an answer. */
  readonly most: number;
}

export interface CallingOptions {
  strict: readonly string[];
  choice: ToolChoice | undefined;
  /** Whether an answer may have several calls; default true. */
  parallel: boolean | undefined;
}

/**
 * Puts the fields of a request together; undefined where the model may call nothing.
 *
 * @throws ApiError 400 for a choice that the functions do not meet
 */
export function callingOf(
  tools: readonly FunctionTool[] | undefined,
  { strict, choice = 'auto', parallel = true }: CallingOptions,
): Calling | undefined {
  const given = tools ?? [];
  const isNamed = typeof choice === 'object';
  const names = given.map((tool) => tool.function.name);
  if (isNamed && !names.includes(choice.name)) {
    const there = names.length === 0 ? 'there are none' : `there are ${names.join(', ')}`;
    throw refusal(
      `tool_choice names '${choice.name.slice(0, 100)}', which is not in tools; ${there}`,
    );
  }
  if (choice === 'required' && given.length === 0) {
    throw refusal('tool_choice asks for a call, but there are no tools; expected at least one');
  }
  if (choice === 'none' || given.length === 0) return undefined;
  const most = parallel && !isNamed ? Number.POSITIVE_INFINITY : 1;
  return { tools: given, strict: new Set(strict), choice, most };
}

const refusal = (message: string): ApiError => new ApiError(400, message, { param: 'tool_choice' });
