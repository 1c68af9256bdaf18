import { quoted } from '@headwise/core';
import type { ChatMessage } from '@headwise/tokenizers';

/** A text in a prompt. */
export interface TextSlot {
  readonly kind?: 'text' | undefined;
  /** The texts that the value may be, such as the labels of a task. Default any. */
  readonly oneOf?: readonly string[] | undefined;
  /** A budget never shortens the value. Default false. */
  readonly whole?: boolean | undefined;
  /** The side that a budget shortens it from, at the bounds of words. Default `'end'`. */
  readonly cut?: CutSide | undefined;
  /** A budget shortens slots of lower priority first, and of the same priority the last in the prompt. Default 0. */
  readonly priority?: number | undefined;
}

/** A number in a prompt. It is always whole. */
export interface NumberSlot {
  readonly kind: 'number';
}

/** Texts one after the other in a prompt, such as passages or examples. A budget leaves out items as a whole. */
export interface ListSlot {
  readonly kind: 'list';
  /** Stands between two items. Default a line end. */
  readonly separator?: string | undefined;
  /** Stands behind the last item of a list that is not empty. Default nothing. */
  readonly end?: string | undefined;
  /** Items that a budget has to leave, or all where the value has fewer. Default 0. */
  readonly least?: number | undefined;
  /** A budget leaves out no item. Default false. */
  readonly whole?: boolean | undefined;
  /** The side that a budget leaves items out from. Default `'end'`. */
  readonly cut?: CutSide | undefined;
  /** As of a text. Default 0. */
  readonly priority?: number | undefined;
}

/**
 * Messages in a chat prompt, such as those before or worked examples. An item is a message, or several that belong together;
 * a budget leaves out items as a whole.
 */
export interface MessagesSlot extends Omit<ListSlot, 'kind' | 'separator' | 'end'> {
  readonly kind: 'messages';
}

/** What a slot of a prompt takes. */
export type Slot = TextSlot | NumberSlot | ListSlot | MessagesSlot;

/** A side of a text or a list. */
export type CutSide = 'start' | 'end';

/** A message, or several that stay together. */
export type MessageItem = ChatMessage | readonly ChatMessage[];

/** The value that a slot takes. */
export type SlotValue<S> = S extends { kind: 'number' }
  ? number
  : S extends { kind: 'list' }
    ? readonly string[]
    : S extends { kind: 'messages' }
      ? readonly MessageItem[]
      : S extends { oneOf: readonly (infer Text)[] }
        ? Text
        : string;

/** The value of any slot. */
export type AnyValue = string | number | readonly string[] | readonly MessageItem[];

/** The names of the slots in a text: `'review'` of `'Review: {{review}}'`. */
export type SlotNames<Text extends string> = string extends Text
  ? string
  : Text extends `${string}{{${infer Name}}}${infer Rest}`
    ? Trimmed<Name> | SlotNames<Rest>
    : never;

type Trimmed<Text extends string> = Text extends ` ${infer Rest}`
  ? Trimmed<Rest>
  : Text extends `${infer Rest} `
    ? Trimmed<Rest>
    : Text;

/** What is wrong with the value of a slot; undefined where nothing is. */
export function problemOfValue(slot: Slot, value: unknown): string | undefined {
  if (slot.kind === 'number') {
    return typeof value === 'number' && Number.isFinite(value)
      ? undefined
      : `is ${typeof value === 'number' ? value : quoted(value)}; expected a finite number`;
  }
  if (slot.kind === 'list') {
    return Array.isArray(value) && value.every((item) => typeof item === 'string')
      ? undefined
      : `is ${quoted(value)}; expected an array of texts`;
  }
  if (slot.kind === 'messages') {
    return Array.isArray(value) && value.every((item) => messagesOf(item).every(isMessage))
      ? undefined
      : `is ${quoted(value)}; expected an array of messages with 'role'`;
  }
  if (typeof value !== 'string') return `is ${quoted(value)}; expected a text`;
  if (slot.oneOf && !slot.oneOf.includes(value)) {
    const texts = slot.oneOf.map((text) => `'${text}'`).join(', ');
    return `is ${quoted(value)}; expected one of ${texts}`;
  }
  return undefined;
}

/** The messages of an item. */
export const messagesOf = (item: MessageItem): readonly ChatMessage[] =>
  Array.isArray(item) ? item : [item as ChatMessage];

const isMessage = (value: unknown): boolean =>
  typeof (value as Partial<ChatMessage> | undefined)?.role === 'string';
