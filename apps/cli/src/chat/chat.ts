import { isEncoderDecoder, isHeadwiseError } from '@headwise/core';
import { PrefixCache } from '@headwise/generation';
import { type LoadedText, streamText, type TextOptions } from '@headwise/text/node';
import { exitCodeOf, messageOf } from '../exit.js';
import { colors, type Output } from '../output.js';
import { interrupted, interruptible } from '../signals.js';
import { printed } from '../terminal-text.js';
import { ChatCommands } from './commands.js';
import { Conversation } from './conversation.js';
import { pipedLines, terminalLines } from './lines.js';

/** A conversation on the terminal, or over pipes. */
export class Chat {
  readonly #text: LoadedText;
  readonly #out: Output;
  readonly #options: TextOptions;
  readonly #conversation: Conversation;
  readonly #commands: ChatCommands;
  readonly #terminal: boolean;
  /** What was read in earlier turns; an encoder-decoder reads all anew. */
  readonly #read: PrefixCache | undefined;

  constructor(text: LoadedText, out: Output, system: string | undefined, options: TextOptions) {
    this.#text = text;
    this.#out = out;
    this.#options = options;
    this.#terminal = process.stdin.isTTY && process.stdout.isTTY && !out.json;
    const { network } = text.model;
    this.#read = isEncoderDecoder(network) ? undefined : new PrefixCache(network);
    this.#conversation = new Conversation(text, system, options.maxNewTokens);
    this.#commands = new ChatCommands(this.#conversation, (line) => this.#note(line));
  }

  /** Answers line by line, until the input ends; then it is over. */
  async run(): Promise<void> {
    try {
      await this.#talk();
    } finally {
      this.#read?.dispose();
    }
  }

  async #talk(): Promise<void> {
    if (this.#terminal) this.#note('/help shows what else can be entered.');
    const { stdin: input, stdout: output } = process;
    const prompt = colors.bold('> ');
    const lines = this.#terminal ? terminalLines({ input, output, prompt }) : pipedLines(input);
    for await (const line of lines) {
      try {
        if (line.trim() === '') continue;
        const goesOn = line.startsWith('/')
          ? await this.#commands.run(line)
          : await this.#turn(line.replace(/^ \//, '/'));
        if (!goesOn) return;
      } catch (error) {
        // A person can say it in another way; a script has ended.
        if (!this.#terminal || !isHeadwiseError(error) || exitCodeOf(error) !== 2) throw error;
        this.#note(messageOf(error));
      }
    }
  }

  /** Answers a message, streamed; returns whether the conversation goes on. */
  async #turn(content: string): Promise<boolean> {
    const { messages, maxNewTokens, forgotten } = this.#conversation.ask(content);
    if (forgotten > 0) {
      const turns = forgotten === 1 ? 'The oldest turn is' : `The oldest ${forgotten} turns are`;
      this.#note(`${turns} forgotten: the context holds ${this.#conversation.context} tokens.`);
    }
    const seed = (this.#options.seed ?? 0) + this.#conversation.length;
    const options = { ...this.#options, maxNewTokens, seed, prefixCache: this.#read };
    const before = this.#read?.reusedTokens ?? 0;
    const left = await interruptible(async (signal) => {
      const stream = streamText(this.#text.model, this.#text.tokenizer, messages, {
        ...options,
        signal,
      });
      let text = '';
      let next = await stream.next();
      for (; !next.done; next = await stream.next()) {
        text += next.value.text;
        if (!this.#out.json) process.stdout.write(printed(next.value.text));
      }
      const reason = next.value;
      this.#out.say('');
      const reused = (this.#read?.reusedTokens ?? 0) - before;
      this.#out.emit({ text, reason, forgotten, reused });
      if (reason === 'length') this.#note(`The answer ends at ${maxNewTokens} tokens.`);
      if (reason === 'signal') this.#note('The answer was stopped.');
      // A message whose answer was stopped before it began is withdrawn.
      if (reason !== 'signal' || text !== '') this.#conversation.keep(content, text);
      return signal.reason === 'SIGTERM';
    });
    if (left) process.exitCode = interrupted;
    return !left;
  }

  /** What is neither message nor answer. */
  #note(line: string): void {
    this.#out.note(this.#terminal ? colors.dim(line) : line);
  }
}
