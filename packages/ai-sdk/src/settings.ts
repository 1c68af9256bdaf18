import {
  InvalidArgumentError,
  type LanguageModelV4CallOptions,
  type SharedV4Warning,
} from '@ai-sdk/provider';
import type { TextModel, TextOptions } from '@headwise/text';
import type { JsonConstraint } from './json.js';

/** What a call sets, in Headwise's terms. */
export interface Settings {
  options: TextOptions;
  /** As chat templates read them; undefined where the model is to call none. */
  tools: readonly ToolDescription[] | undefined;
  warnings: SharedV4Warning[];
}

/** A function that the model may call, in the form that chat templates read. */
export interface ToolDescription {
  type: 'function';
  function: { name: string; description?: string | undefined; parameters: object };
}

const ownNumbers = [
  'minP',
  'typicalP',
  'epsilonCutoff',
  'etaCutoff',
  'topNSigma',
  'repetitionPenalty',
  'noRepeatNgramSize',
  'minNewTokens',
] as const;

/** `providerOptions.headwise`: settings that the AI SDK has no names for. */
export type ProviderOptions = {
  [name in (typeof ownNumbers)[number]]?: number | undefined;
} & {
  /** Variables of the chat template, such as `enable_thinking`. */
  variables?: Record<string, unknown> | undefined;
};

/**
 * The settings of a call; what has no effect is told of in warnings.
 *
 * @throws InvalidArgumentError for a key of `providerOptions.headwise` that is not known
 */
export async function settingsOf(
  call: LanguageModelV4CallOptions,
  { generation }: TextModel,
  jsonConstraint: JsonConstraint,
): Promise<Settings> {
  const warnings: SharedV4Warning[] = [];
  const unsupported = (feature: string, details: string) =>
    warnings.push({ type: 'unsupported', feature, details });
  const { variables, ...own } = ownOptions(call.providerOptions?.headwise);
  const { reasoning = 'provider-default' } = call;
  if (reasoning !== 'provider-default') {
    const remedy = 'templates that know it take a variable, in providerOptions.headwise.variables';
    unsupported('reasoning', `the model has no levels of reasoning; ${remedy}`);
  }
  const json = call.responseFormat?.type === 'json' ? call.responseFormat : undefined;
  const constraint = json && (await jsonConstraint(json.schema));
  const tools = toolsOf(call, unsupported);
  if (tools && constraint) unsupported('tools', 'an answer that is held to JSON calls no tools');
  const stops = [generation?.stop ?? [], call.stopSequences ?? []].flat();
  return {
    warnings,
    tools: constraint ? undefined : tools,
    options: {
      ...own,
      ...(variables ? { chat: { variables } } : {}),
      ...(constraint ? { constraint } : {}),
      ...(stops.length > 0 ? { stop: stops } : {}),
      maxNewTokens: call.maxOutputTokens,
      temperature: call.temperature,
      topP: call.topP,
      topK: call.topK,
      presencePenalty: call.presencePenalty,
      frequencyPenalty: call.frequencyPenalty,
      seed: call.seed,
      signal: call.abortSignal,
    },
  };
}

function toolsOf(
  { tools = [], toolChoice = { type: 'auto' } }: LanguageModelV4CallOptions,
  unsupported: (feature: string, details: string) => void,
): ToolDescription[] | undefined {
  if (tools.length === 0 || toolChoice.type === 'none') return undefined;
  if (toolChoice.type !== 'auto') {
    unsupported('toolChoice', `'${toolChoice.type}' cannot be enforced; the model chooses`);
  }
  const described: ToolDescription[] = [];
  for (const tool of tools) {
    if (tool.type === 'provider') {
      unsupported(`provider tool ${tool.id}`, 'only functions can be called');
      continue;
    }
    const { name, description, inputSchema: parameters, strict, inputExamples } = tool;
    if (strict) unsupported(`strict of tool ${name}`, 'arguments are not held to the schema');
    if (inputExamples) unsupported(`inputExamples of tool ${name}`, 'chat templates have none');
    described.push({
      type: 'function',
      function: { name, ...(description === undefined ? {} : { description }), parameters },
    });
  }
  return described.length > 0 ? described : undefined;
}

/** @throws InvalidArgumentError naming a key that is not known, or whose value has another type */
function ownOptions(given: Record<string, unknown> = {}): ProviderOptions {
  for (const [key, value] of Object.entries(given)) {
    const number = (ownNumbers as readonly string[]).includes(key);
    if (number ? typeof value === 'number' : key === 'variables' && isObject(value)) continue;
    const argument = `providerOptions.headwise.${key}`;
    const expected = number ? 'a number' : `${ownNumbers.join(', ')}, or variables, an object`;
    const message = `${argument} is ${JSON.stringify(value)}; expected ${expected}`;
    throw new InvalidArgumentError({ argument, message });
  }
  return given as ProviderOptions;
}

const isObject = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
