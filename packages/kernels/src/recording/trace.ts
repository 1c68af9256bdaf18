import type { Command } from './commands.js';

const numbers = new WeakMap<object, number>();
let last = 0;

/** The same number for the same object. */
function numberOf(object: object): number {
  const number = numbers.get(object) ?? ++last;
  numbers.set(object, number);
  return number;
}

/**
 * A hash of everything that JavaScript decides in a step: pipelines, sizes of dispatches, the values of new tensors, and the contents of
 * uniforms. The values of the tensors that the step was given are not part of it.
 */
export class Trace {
  #hash = 0x811c9dc5;

  /** Adds numbers that JavaScript gave to a tensor or to a program's uniforms. */
  addValues(values: unknown): void {
    if (!values) return;
    const given = values as ArrayLike<number>;
    const words =
      given instanceof Int32Array || given instanceof Float32Array
        ? new Int32Array(given.buffer, given.byteOffset, given.length)
        : new Int32Array(Float32Array.from(given).buffer);
    this.#add(words.length);
    for (const word of words) this.#add(word);
  }

  addCommands(commands: readonly Command[]): void {
    for (const command of commands) {
      if (command.kind === 'pipeline') this.#add(numberOf(command.pipeline));
      if (command.kind === 'dispatch') for (const count of command.workgroups) this.#add(count);
      if (command.kind === 'copy') this.#add(command.copy[4]);
      if (command.kind === 'clear') this.#add(command.clear[2] ?? 0);
    }
  }

  get hash(): string {
    return (this.#hash >>> 0).toString(16);
  }

  /** FNV-1a over words. */
  #add(word: number): void {
    this.#hash = Math.imul(this.#hash ^ word, 0x01000193);
  }
}
