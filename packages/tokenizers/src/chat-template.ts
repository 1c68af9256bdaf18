import { Template } from '@huggingface/jinja';
import { TokenizerError } from './errors.js';
import { Fields, mismatch } from './fields.js';

/** A message of a chat, with what else the model's template knows, such as `tool_calls`. */
export interface ChatMessage {
  role: string;
  content?: unknown;
  [key: string]: unknown;
}

export interface ChatTemplateOptions {
  /** Ends with what begins the model's answer; default false. */
  addGenerationPrompt?: boolean;
  /** Functions that the model may call, as JSON schemas. */
  tools?: readonly unknown[];
  /** The template to use of several; default `default`, or `tool_use` where there are tools. */
  name?: string;
  /** Other variables of the template. */
  variables?: Readonly<Record<string, unknown>>;
}

const specialTokens = [
  'bos_token',
  'eos_token',
  'unk_token',
  'pad_token',
  'sep_token',
  'cls_token',
];

/**
 * The chat template of a `tokenizer_config.json`: writes messages as the one text that a model was trained on.
 *
 * @example
 * const chat = new ChatTemplate(JSON.parse(tokenizerConfigText));
 * const text = chat.applyChatTemplate([{ role: 'user', content: 'Hi' }], { addGenerationPrompt: true });
 * tokenizer.encode(text, { addSpecialTokens: false });
 * @see https://huggingface.co/docs/transformers/chat_templating
 */
export class ChatTemplate {
  readonly #path: string;
  readonly #templates: ReadonlyMap<string, Template>;
  readonly #tokens: Readonly<Record<string, string>>;

  /** @throws TokenizerError where `chat_template` is missing, or cannot be read */
  constructor(config: unknown, name = 'tokenizer_config.json') {
    const fields = new Fields(config, name);
    this.#path = `${name}.chat_template`;
    this.#templates = new Map(
      sourcesOf(fields).map(([key, source]) => [key, parse(source, this.#path)]),
    );
    this.#tokens = Object.fromEntries(
      specialTokens.flatMap((key) => (fields.has(key) ? [[key, contentOf(fields, key)]] : [])),
    );
  }

  /**
   * Writes messages as a text, its special tokens among it.
   *
   * @throws TokenizerError where there is no such template, or where it refuses the messages
   */
  applyChatTemplate(messages: readonly ChatMessage[], options: ChatTemplateOptions = {}): string {
    const { addGenerationPrompt = false, tools, variables } = options;
    const name =
      options.name ?? (tools && this.#templates.has('tool_use') ? 'tool_use' : 'default');
    const template = this.#templates.get(name);
    if (!template) {
      throw mismatch('name', name, [...this.#templates.keys()].join(' or '));
    }
    if (!Array.isArray(messages)) throw mismatch('messages', messages, 'an array');
    try {
      return template.render({
        ...this.#tokens,
        ...variables,
        messages,
        add_generation_prompt: addGenerationPrompt,
        ...(tools && { tools }),
      });
    } catch (error) {
      throw new TokenizerError(`${this.#path}: ${(error as Error).message}`);
    }
  }
}

/** A `chat_template` is one source, or a list of sources with names. */
function sourcesOf(fields: Fields): [name: string, source: string][] {
  if (!Array.isArray(fields.value('chat_template'))) {
    return [['default', fields.string('chat_template')]];
  }
  return fields
    .objects('chat_template')
    .map((named) => [named.string('name'), named.string('template')]);
}

/** A special token is a string, or an object with its content. */
const contentOf = (fields: Fields, key: string): string =>
  typeof fields.value(key) === 'string' ? fields.string(key) : fields.object(key).string('content');

function parse(source: string, path: string): Template {
  try {
    return new Template(source);
  } catch (error) {
    throw new TokenizerError(`${path}: cannot be read: ${(error as Error).message}`);
  }
}
