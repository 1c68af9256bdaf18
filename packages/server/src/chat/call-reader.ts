import { ToolCallParser, type ToolCallPiece } from '@headwise/text';
import type { FunctionTool } from './prompt.js';

/** Tells the calls of functions from the text of one answer. */
export class CallReader {
  readonly #parser: ToolCallParser | undefined;
  readonly #most: number;
  #calls = 0;

  /**
   * @param tools functions that the model was told of; without them all is text
   * @param most calls that an answer may have; what follows them is dropped
   */
  constructor(tools: readonly FunctionTool[] | undefined, most: number = Number.POSITIVE_INFINITY) {
    this.#parser = tools && new ToolCallParser(tools.map((tool) => tool.function.name));
    this.#most = most;
  }

  /** The number of calls that were read. */
  get calls(): number {
    return this.#calls;
  }

  /** Whether the answer has all the calls that it may have. */
  get isFull(): boolean {
    return this.#calls >= this.#most;
  }

  /** What is certain with the next text of the answer, in order; without a text, at its end. */
  read(text: string | undefined): ToolCallPiece[] {
    const pieces = this.#parser
      ? text === undefined
        ? this.#parser.end()
        : this.#parser.push(text)
      : [{ text: text ?? '' }];
    return pieces.filter((piece) => {
      if (this.isFull) return false;
      if ('call' in piece) this.#calls++;
      return 'call' in piece || piece.text !== '';
    });
  }
}

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** An id of a call: nine letters and digits, the only form that the templates of Mistral take back. */
export const newCallId = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(9)), (byte) => letters[byte % 62]).join('');
