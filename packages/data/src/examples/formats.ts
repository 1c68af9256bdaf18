/** A message of a chat, with what else the model's template reads. */
export interface ExampleMessage {
  readonly role: string;
  readonly content?: unknown;
  readonly [key: string]: unknown;
}

/** A text, or the messages of a chat. */
export type TextOrMessages = string | readonly ExampleMessage[];

/** One example to learn from, in each of the formats that data sets have. */
export interface ExampleOf {
  /** A text. */
  text: { readonly text: string };
  /** A prompt, and what should follow it. */
  completion: { readonly prompt: string; readonly completion: string };
  /** A conversation. */
  messages: {
    readonly messages: readonly ExampleMessage[];
    readonly tools?: readonly unknown[] | undefined;
  };
  /** A prompt, with an answer that is preferred and one that is not; each a text, or messages. */
  preference: {
    readonly prompt: TextOrMessages;
    readonly chosen: TextOrMessages;
    readonly rejected: TextOrMessages;
  };
  /** A prompt, an answer, and whether that is wanted; prompt and answer are texts, or messages. */
  judged: {
    readonly prompt: TextOrMessages;
    readonly completion: TextOrMessages;
    readonly label: boolean;
  };
  /** A text and the name of its class. */
  label: { readonly text: string; readonly label: string };
  /** A text, one that means the same, and perhaps one that does not. */
  similar: {
    readonly anchor: string;
    readonly positive: string;
    readonly negative?: string | undefined;
  };
}

/** How examples are written. */
export type ExampleFormat = keyof ExampleOf;

/** What a key of an example holds. */
export type ValueKind = 'text' | 'turns' | 'answer' | 'class' | 'boolean' | 'messages' | 'list';

/** The keys of each format and what they hold. */
export const formats: Readonly<
  Record<
    ExampleFormat,
    {
      readonly keys: Readonly<Record<string, ValueKind>>;
      readonly optional?: Readonly<Record<string, ValueKind>> | undefined;
    }
  >
> = {
  text: { keys: { text: 'text' } },
  completion: { keys: { prompt: 'text', completion: 'text' } },
  messages: { keys: { messages: 'messages' }, optional: { tools: 'list' } },
  preference: { keys: { prompt: 'turns', chosen: 'answer', rejected: 'answer' } },
  judged: { keys: { prompt: 'turns', completion: 'answer', label: 'boolean' } },
  label: { keys: { text: 'text', label: 'class' } },
  similar: { keys: { anchor: 'text', positive: 'text' }, optional: { negative: 'text' } },
};

/** The keys of a format, for messages: `'prompt' and 'completion'`. */
export function keysOf(format: ExampleFormat): string {
  const names = Object.keys(formats[format].keys).map((key) => `'${key}'`);
  return names.length === 1 ? names[0]! : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}
