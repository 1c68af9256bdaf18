import { InputError } from '@headwise/core';
import { type Piece, parseText, slotsOf } from './parse.js';
import type { ListSlot, Slot } from './slots.js';

/** A message of a chat prompt with slots in its content, or a slot that takes messages. */
export type TemplateMessage =
  | { readonly role: string; readonly content: string }
  | { readonly slot: string };

/** A part of a chat prompt, as it is parsed. */
export type MessagePart =
  | { readonly role: string; readonly pieces: readonly Piece[] }
  | { readonly slot: string };

/** What a prompt is made of: a text, or messages. */
export type TemplateParts =
  | { readonly text: readonly Piece[] }
  | { readonly messages: readonly MessagePart[] };

/**
 * The parts of a text or of messages.
 *
 * @throws InputError for `{{` that begins no slot
 */
export function parseParts(
  content: string | readonly TemplateMessage[],
  where: string,
): TemplateParts {
  if (typeof content === 'string') return { text: parseText(content, where) };
  return { messages: content.map((message, n) => partOf(message, `${where}, message ${n}`)) };
}

const partOf = (message: TemplateMessage, where: string): MessagePart =>
  'slot' in message
    ? { slot: message.slot }
    : { role: message.role, pieces: parseText(message.content, where) };

/**
 * What every slot of some parts takes, in their order.
 *
 * @param slots what some of them take; a text, or messages in the place of messages, for the others
 * @throws InputError for a slot that is described and not there, one that cannot stand where it does, and settings out of range
 */
export function describedSlots(
  parts: TemplateParts,
  slots: Readonly<Record<string, Slot>>,
  where: string,
): Readonly<Record<string, Slot>> {
  const messages = 'messages' in parts ? parts.messages : [];
  const inTexts = slotsOf(
    'text' in parts
      ? parts.text
      : messages.flatMap((part) => ('pieces' in part ? part.pieces : [])),
  );
  const ofMessages = messages.flatMap((part) => ('slot' in part ? [part.slot] : []));
  const names = [...new Set([...inTexts, ...ofMessages])];
  const unused = Object.keys(slots).find((slot) => !names.includes(slot));
  if (unused !== undefined) {
    const known = names.map((slot) => `'${slot}'`).join(', ') || 'none';
    throw new InputError(
      `${where}: slot '${unused}' is described and not in the prompt; its slots are ${known}`,
    );
  }
  return Object.fromEntries(
    names.map((name) => {
      const isOfMessages = ofMessages.includes(name);
      const slot: Slot = slots[name] ?? (isOfMessages ? { kind: 'messages' } : {});
      checkSlot(slot, name, { where, isOfMessages, inText: inTexts.includes(name) });
      return [name, slot];
    }),
  );
}

/** What a slot takes, in words. */
export const kindOf = (slot: Slot): string =>
  ({ text: 'a text', number: 'a number', list: 'an array of texts', messages: 'messages' })[
    slot.kind ?? 'text'
  ];

interface SlotPlace {
  where: string;
  isOfMessages: boolean;
  inText: boolean;
}

function checkSlot(slot: Slot, name: string, { where, isOfMessages, inText }: SlotPlace): void {
  if (isOfMessages !== (slot.kind === 'messages') || (isOfMessages && inText)) {
    const found = inText ? 'stands within a text' : 'stands in the place of messages';
    throw new InputError(
      `${where}: slot '${name}' takes ${kindOf(slot)} and ${found}; expected a slot of messages in the place of messages, and others within texts`,
    );
  }
  const { priority = 0, least = 0 } = slot as ListSlot;
  if (!Number.isFinite(priority)) {
    throw new InputError(
      `${where}: the priority of slot '${name}' is ${priority}; expected a finite number`,
    );
  }
  if (!Number.isSafeInteger(least) || least < 0) {
    throw new InputError(
      `${where}: slot '${name}' keeps at least ${least} items; expected a whole number of at least 0`,
    );
  }
}
