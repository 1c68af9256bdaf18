import { TokenizerError } from './errors.js';
import { Fields, mismatch } from './fields.js';
import type { Rendered } from './jinja/render.js';
import { Template } from './jinja/template.js';

/** A message of a chat, with what else the model's template knows, such as `tool_calls`. */
export interface ChatMessage {
  role: string;
  content?: unknown;
  [key: string]: unknown;
}

export interface ChatTemplateOptions {
  /** Ends with what begins the model's answer; default false. */
  addGenerationPrompt?: boolean | undefined;
  /** Functions that the model may call, as JSON schemas. */
  tools?: readonly unknown[] | null | undefined;
  /** Texts to answer from, with `title` and `text`, where the template takes them. */
  documents?: readonly unknown[] | null | undefined;
  /** The template to use of several; default `default`, or `tool_use` where there are tools. */
  name?: string | undefined;
  /** Other variables of the template. */
  variables?: Readonly<Record<string, unknown>> | undefined;
  /** What `strftime_now` writes; default the time now. */
  now?: Date | undefined;
}

/** A chat as a text, and where the assistant's turns stand in it. */
export interface MarkedChat {
  text: string;
  /** In code units, each from its first to after its last. */
  turns: [start: number, end: number][];
}

/** Templates in separate files, which take precedence over `tokenizer_config.json`. */
export interface ChatTemplateFiles {
  /** By their names: `chat_template.jinja` is `default`, `additional_chat_templates/rag.jinja` is `rag`. */
  templates?: Readonly<Record<string, string>> | undefined;
  /** The files of the templates in errors, by the templates' names; default `chat template`. */
  paths?: Readonly<Record<string, string>> | undefined;
  /** Name of the configuration in errors; default `tokenizer_config.json`. */
  name?: string | undefined;
}

const specialTokens = [
  'bos_token',
  'eos_token',
  'unk_token',
  'sep_token',
  'pad_token',
  'cls_token',
  'mask_token',
];
/** Names under which messages carry a model's reasoning; templates read the first. */
const reasoningNames = ['reasoning_content', 'thinking', 'reasoning'];

/**
 * The chat template of a model: writes messages as the one text that it was trained on, as transformers'
 * `apply_chat_template` does.
 *
 * @example
 * const chat = new ChatTemplate(JSON.parse(tokenizerConfigText));
 * const text = chat.applyChatTemplate([{ role: 'user', content: 'Hi' }], { addGenerationPrompt: true });
 * tokenizer.encode(text, { addSpecialTokens: false });
 * @see https://huggingface.co/docs/transformers/chat_templating
 */
export class ChatTemplate {
  /** What each template is called in errors. */
  readonly #paths: ReadonlyMap<string, string>;
  readonly #templates: ReadonlyMap<string, Template>;
  readonly #tokens: Readonly<Record<string, string>>;

  /**
   * @param config a parsed `tokenizer_config.json`
   * @throws TokenizerError where there is no template, or one cannot be read
   */
  constructor(config: unknown, files: ChatTemplateFiles = {}) {
    const { templates = {}, paths = {}, name = 'tokenizer_config.json' } = files;
    const fields = new Fields(config, name);
    const given = Object.entries(templates);
    const all = given.length > 0 ? 'chat template' : `${name}.chat_template`;
    const sources = given.length > 0 ? given : sourcesOf(fields);
    this.#paths = new Map(
      sources.map(([key]) => {
        const path = key === 'default' ? all : `${all} '${key}'`;
        return [key, given.length > 0 ? (paths[key] ?? path) : path];
      }),
    );
    this.#templates = new Map(
      sources.map(([key, source]) => [key, parse(source, this.#paths.get(key)!)]),
    );
    this.#tokens = Object.fromEntries(
      specialTokens.flatMap((key) => (fields.has(key) ? [[key, contentOf(fields, key)]] : [])),
    );
  }

  /** The names of the templates. */
  get names(): string[] {
    return [...this.#templates.keys()];
  }

  /**
   * Writes messages as a text, its special tokens among it.
   *
   * @throws TokenizerError where there is no such template, or where it refuses the messages
   */
  applyChatTemplate(messages: readonly ChatMessage[], options: ChatTemplateOptions = {}): string {
    return this.#render(messages, options).text;
  }

  /**
   * Writes a chat as a text, with where the assistant's turns stand in it: what a model is trained to write.
   *
   * They are what the template marks by `{% generation %}`. A template without marks is run for the messages before each turn and with it: the turn
   * is what the text grows by after the generation prompt.
   *
   * @returns the turns in code units, as the offsets of an encoding are
   * @throws TokenizerError where no message is the assistant's, or the template writes earlier messages differently when a turn follows
   */
  assistantTurns(messages: readonly ChatMessage[], options: ChatTemplateOptions = {}): MarkedChat {
    const { text, generated } = this.#render(messages, { ...options, addGenerationPrompt: false });
    const path = this.#paths.get(this.#nameOf(options))!;
    if (!messages.some(({ role }) => role === 'assistant')) {
      throw new TokenizerError(
        `${path}: a chat of ${messages.length} messages has no turn of the assistant; expected at least one`,
      );
    }
    if (generated.length > 0) return { text, turns: generated.map(([a, b]) => [a, b]) };
    const turns = messages.flatMap(({ role }, n): [number, number][] => {
      if (role !== 'assistant') return [];
      const given = { ...options, addGenerationPrompt: true };
      const before = n === 0 ? '' : this.#render(messages.slice(0, n), given).text;
      const after = this.#render(messages.slice(0, n + 1), {
        ...options,
        addGenerationPrompt: false,
      }).text;
      if (!text.startsWith(after) || !after.startsWith(before)) {
        throw new TokenizerError(
          `${path}: has no {% generation %} marks, and writes the chat up to message ${n} differently when more follows; expected marks around the assistant's text`,
        );
      }
      return [[before.length, after.length]];
    });
    return { text, turns };
  }

  #render(messages: readonly ChatMessage[], options: ChatTemplateOptions): Rendered {
    const { addGenerationPrompt = false, variables, now } = options;
    const tools = list('tools', options.tools);
    const documents = list('documents', options.documents);
    const name = this.#nameOf(options);
    const template = this.#templates.get(name);
    if (!template) {
      throw mismatch('name', name, [...this.#templates.keys()].join(' or '));
    }
    if (!Array.isArray(messages)) throw mismatch('messages', messages, 'an array');
    if (messages.length === 0) throw mismatch('messages', messages, 'at least one message');
    const given = {
      ...this.#tokens,
      ...variables,
      messages: messages.map(plainMessage),
      tools,
      documents,
      add_generation_prompt: addGenerationPrompt,
    };
    try {
      return template.render(given, () => now ?? new Date());
    } catch (error) {
      throw new TokenizerError(`${this.#paths.get(name)}: ${(error as Error).message}`);
    }
  }

  /** The template that options choose. */
  #nameOf({ name, tools }: ChatTemplateOptions): string {
    return name ?? (tools && this.#templates.has('tool_use') ? 'tool_use' : 'default');
  }
}

/**
 * The chat template of a `tokenizer_config.json` and separate files; undefined where neither has one.
 *
 * @param config the parsed file
 * @throws TokenizerError where one cannot be read
 */
export function chatTemplateOf(
  config: unknown,
  files: ChatTemplateFiles = {},
): ChatTemplate | undefined {
  const { templates = {}, name = 'tokenizer_config.json' } = files;
  const found = Object.keys(templates).length > 0 || new Fields(config, name).has('chat_template');
  return found ? new ChatTemplate(config, files) : undefined;
}

/** A list, or null if it is absent, since templates test `is none`. */
function list(
  name: string,
  value: readonly unknown[] | null | undefined,
): readonly unknown[] | null {
  if (value === undefined || value === null) return null;
  if (!Array.isArray(value)) throw mismatch(name, value, 'an array');
  return value;
}

/** A message without keys that hold nothing, and with its reasoning under the names that templates read. */
function plainMessage(message: unknown, index: number): Record<string, unknown> {
  const { json } = new Fields(message, `messages[${index}]`);
  const kept = Object.fromEntries(
    Object.entries(json).filter(([, value]) => value !== null && value !== undefined),
  );
  const reasoning = reasoningNames.map((name) => kept[name]).find((value) => value !== undefined);
  if (reasoning === undefined) return kept;
  return { thinking: reasoning, ...kept, reasoning_content: reasoning };
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
