import { InputError } from '@headwise/core';
import type { Prompt } from '@headwise/text';
import type { ChatMessage } from '@headwise/tokenizers';
import type { Piece } from './parse.js';
import {
  type AnyValue,
  type ListSlot,
  type MessageItem,
  messagesOf,
  problemOfValue,
  type Slot,
  type SlotNames,
  type SlotValue,
} from './slots.js';
import {
  describedSlots,
  kindOf,
  parseParts,
  type TemplateMessage,
  type TemplateParts,
} from './template-parts.js';

/** Values of slots by their names. */
export type PromptValues = Readonly<Record<string, AnyValue>>;

/** The values that the slots `Names` take, typed by how `Slots` describes them; texts where it does not. */
export type ValuesOf<Names extends string, Slots> = {
  readonly [Name in Names]: Name extends keyof Slots ? SlotValue<Slots[Name]> : string;
};

/** The values that the slots in messages take. */
export type MessageValues<Messages extends readonly TemplateMessage[], Slots> = ValuesOf<
  {
    [N in keyof Messages]: Messages[N] extends { content: infer Content extends string }
      ? SlotNames<Content>
      : never;
  }[number],
  Slots
> & {
  readonly [Part in Messages[number] as Part extends { slot: infer Name extends string }
    ? Name
    : never]: readonly MessageItem[];
};

/** How a prompt is described: a text or messages, with slots `{{name}}`. */
export interface PromptDefinition<Slots = Readonly<Record<string, Slot>>> {
  /** What errors and records name it by. */
  readonly name: string;
  /** What its slots take. Default a text for each. */
  readonly slots?: Slots | undefined;
}

/** Which example a prompt is written for, in errors. */
export interface ExampleName {
  /** The example's number or name. Default none: errors name the prompt alone. */
  example?: number | string | undefined;
}

/** A prompt with slots: a text, or the messages of a chat. Immutable; made by `definePrompt`. */
export class PromptTemplate<Values = PromptValues, Written extends Prompt = Prompt> {
  /** What errors and records name it by. */
  readonly name: string;
  /** What each slot takes, in the order of the prompt. */
  readonly slots: Readonly<Record<string, Slot>>;
  readonly #parts: TemplateParts;
  readonly #given: PromptValues;

  /** For `definePrompt`. */
  constructor(
    name: string,
    slots: Readonly<Record<string, Slot>>,
    parts: TemplateParts,
    given: PromptValues = {},
  ) {
    this.name = name;
    this.slots = slots;
    this.#parts = parts;
    this.#given = given;
  }

  /**
   * The same prompt with the values of some slots, which `write` then takes no more.
   *
   * @throws InputError as `write` does, but for missing values
   */
  with<Given extends Partial<Values>>(
    values: Given,
    { example }: ExampleName = {},
  ): PromptTemplate<Omit<Values, keyof Given>, Written> {
    this.#check(values as PromptValues, example);
    return new PromptTemplate(this.name, this.slots, this.#parts, {
      ...this.#given,
      ...(values as PromptValues),
    });
  }

  /** Whether it becomes a text or messages. */
  get kind(): 'text' | 'messages' {
    return 'text' in this.#parts ? 'text' : 'messages';
  }

  /** The text or the messages as they were defined, with `{{name}}` for each slot. */
  get source(): string | readonly TemplateMessage[] {
    const textOf = (pieces: readonly Piece[]) =>
      pieces.map((piece) => (typeof piece === 'string' ? piece : `{{${piece.slot}}}`)).join('');
    if ('text' in this.#parts) return textOf(this.#parts.text);
    return this.#parts.messages.map((part) =>
      'slot' in part ? part : { role: part.role, content: textOf(part.pieces) },
    );
  }

  /**
   * The same prompt with more behind it: a text, which in a chat goes on with the last message, or messages.
   *
   * @param slots what the new slots take; those of the prompt stay as they are
   * @throws InputError as `definePrompt` does, for messages behind a text, and for a text behind a slot of messages
   */
  followedBy<
    const More extends string | readonly TemplateMessage[],
    const Slots extends Readonly<Record<string, Slot>> = Readonly<Record<never, Slot>>,
  >(
    more: More,
    slots?: Slots,
  ): PromptTemplate<
    Values &
      (More extends string
        ? ValuesOf<SlotNames<More>, Slots>
        : MessageValues<Extract<More, readonly TemplateMessage[]>, Slots>),
    Written
  > {
    const where = placeOf(this.name);
    const parts = joinedParts(this.#parts, parseParts(more, where), where);
    const described = describedSlots(parts, { ...this.slots, ...slots }, where);
    return new PromptTemplate(this.name, described, parts, this.#given);
  }

  /**
   * The prompt with a value in each slot: a text, or messages, as `generateText` of `@headwise/text` takes them.
   *
   * @throws InputError naming the prompt, the slot and the example, for a slot without a value, a value without a slot, and a
   * value of another kind
   */
  write(values: Values, { example }: ExampleName = {}): Written {
    return this.render(this.valuesOf(values, { example }));
  }

  /**
   * All values of the prompt, checked.
   *
   * @throws InputError as `write` does
   */
  valuesOf(values: Values, { example }: ExampleName = {}): PromptValues {
    this.#check(values as PromptValues, example);
    const all: PromptValues = { ...this.#given, ...(values as PromptValues) };
    for (const name of Object.keys(this.slots)) {
      if (all[name] === undefined) {
        throw new InputError(
          `${placeOf(this.name, example)}: slot '${name}' has no value; expected ${kindOf(this.slots[name]!)}`,
        );
      }
    }
    return all;
  }

  /** The prompt of values that are complete and checked. */
  render(values: PromptValues): Written {
    return this.#rendered(values) as Written;
  }

  #rendered(values: PromptValues): Prompt {
    if ('text' in this.#parts) return this.#textOf(this.#parts.text, values);
    return this.#parts.messages.flatMap((part): readonly ChatMessage[] => {
      if ('slot' in part) return (values[part.slot] as readonly MessageItem[]).flatMap(messagesOf);
      return [{ role: part.role, content: this.#textOf(part.pieces, values) }];
    });
  }

  #textOf(pieces: readonly Piece[], values: PromptValues): string {
    return pieces
      .map((piece) => {
        if (typeof piece === 'string') return piece;
        const value = values[piece.slot]!;
        if (!Array.isArray(value)) return String(value);
        const { separator = '\n', end = '' } = this.slots[piece.slot] as ListSlot;
        return value.length > 0 ? value.join(separator) + end : '';
      })
      .join('');
  }

  #check(values: PromptValues, example: ExampleName['example']): void {
    for (const [name, value] of Object.entries(values)) {
      if (value === undefined) continue;
      const where = placeOf(this.name, example);
      if (Object.hasOwn(this.#given, name)) {
        throw new InputError(`${where}: slot '${name}' has a value already; expected none`);
      }
      if (!Object.hasOwn(this.slots, name)) {
        const known = Object.keys(this.slots).map((slot) => `'${slot}'`);
        throw new InputError(
          `${where}: there is no slot '${name}'; its slots are ${known.join(', ') || 'none'}`,
        );
      }
      const problem = problemOfValue(this.slots[name]!, value);
      if (problem) throw new InputError(`${where}: slot '${name}' ${problem}`);
    }
  }
}

/** A prompt in errors, with the example that it is written for. */
export const placeOf = (name: string, example?: number | string): string =>
  example === undefined ? `prompt '${name}'` : `prompt '${name}', example ${example}`;

function joinedParts(parts: TemplateParts, more: TemplateParts, where: string): TemplateParts {
  if ('text' in parts) {
    if ('text' in more) return { text: [...parts.text, ...more.text] };
    throw new InputError(`${where}: is a text and messages follow; expected a text`);
  }
  if ('messages' in more) return { messages: [...parts.messages, ...more.messages] };
  const last = parts.messages.at(-1)!;
  if ('slot' in last) {
    throw new InputError(
      `${where}: ends in messages of the slot '${last.slot}' and a text follows; expected messages`,
    );
  }
  const longer = { role: last.role, pieces: [...last.pieces, ...more.text] };
  return { messages: [...parts.messages.slice(0, -1), longer] };
}
