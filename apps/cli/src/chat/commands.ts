import { existsSync } from 'node:fs';
import { InputError } from '@headwise/core';
import { FileError, writeFile } from '@headwise/files';
import { checkOutFile } from '../out-file.js';
import type { Conversation } from './conversation.js';

export const chatHelp = `/reset      begin the conversation anew
/save FILE  write its messages to a file, as JSON
/help       show these commands
/exit       leave, as Ctrl-D does
Ctrl-C stops an answer. A message that begins with / is written with a space before it.`;

/** The commands of a conversation: lines that begin with `/`. */
export class ChatCommands {
  readonly #conversation: Conversation;
  readonly #say: (line: string) => void;
  readonly #saved = new Set<string>();

  constructor(conversation: Conversation, say: (line: string) => void) {
    this.#conversation = conversation;
    this.#say = say;
  }

  /**
   * Carries out a command.
   *
   * @returns whether the conversation goes on
   * @throws InputError for a line that is not one, and FileError for a file that cannot be written
   */
  async run(line: string): Promise<boolean> {
    const [, name = '', argument = ''] = /^\/(\S*)\s*(.*?)\s*$/s.exec(line) ?? [];
    if (!['reset', 'save', 'help', 'exit'].includes(name)) {
      throw new InputError(
        `/${name} is not a command; expected /reset, /save FILE, /help or /exit, or a space before a message that begins with /`,
      );
    }
    if (name === 'save') await this.#save(argument);
    else if (argument !== '') {
      throw new InputError(`/${name} is followed by '${argument}'; expected nothing`);
    } else if (name === 'help') this.#say(chatHelp);
    else if (name === 'reset') {
      this.#conversation.reset();
      this.#say('The conversation begins anew.');
    }
    return name !== 'exit';
  }

  async #save(path: string): Promise<void> {
    if (path === '') throw new InputError('/save is followed by nothing; expected a file');
    if (existsSync(path) && !this.#saved.has(path)) {
      throw new FileError(`/save ${path}`, 'is there already; expected a new file');
    }
    await checkOutFile('/save', path);
    const { messages } = this.#conversation;
    await writeFile(path, `${JSON.stringify(messages, undefined, 2)}\n`);
    this.#saved.add(path);
    this.#say(`${path}: ${messages.length} messages`);
  }
}
