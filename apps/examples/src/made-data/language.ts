import { Random } from '@headwise/core';
import { makePrompts, shuffledExamples } from '@headwise/prompting';
import { type Tokenizer, trainByteLevelBpe } from '@headwise/tokenizers';

/** A language in which `twice dax fep` asks for the text `dax fep dax fep`, calm with `.` or loud with `!` at its end. */
const words = 'blick dax fep gorp kiki lug mib nurg pim quat rost sap'.split(' ');
const forms: Readonly<Record<string, (a: string, b: string) => readonly string[]>> = {
  once: (a, b) => [a, b],
  framed: (a, b) => [a, b, a],
  twice: (a, b) => [a, b, a, b],
};
const ends = ['.', '!'] as const;

/** An instruction of the language. */
export interface Command {
  readonly verb: string;
  readonly a: string;
  readonly b: string;
}

export const instructionOf = ({ verb, a, b }: Command): string => `${verb} ${a} ${b}`;

/** The words that an instruction asks for; undefined where it is none of the language. */
export function wordsFor(instruction: string): string | undefined {
  const [verb = '', a, b, ...more] = instruction.split(' ');
  if (!Object.hasOwn(forms, verb) || a === undefined || b === undefined || more.length > 0) return;
  return forms[verb]!(a, b).join(' ');
}

/** The text that answers a command. */
export const textOf = (command: Command, end: string): string =>
  `${wordsFor(instructionOf(command))} ${end}`;

/** How the model is asked for an instruction, a score and an answer. */
export const prompts = makePrompts('text', {
  instruct: 'Text: {{document}}\nAsk:',
  score: 'Ask: {{instruction}}\nText: {{response}}\nScore:',
  question: 'Ask: {{instruction}}\nText:',
  answer: ' {{response}}\n',
});

const all: readonly Command[] = Object.keys(forms).flatMap((verb) =>
  words.flatMap((a) => words.filter((b) => b !== a).map((b) => ({ verb, a, b }))),
);

/** A vocabulary in which every word is a token. */
export function tokenizerOf(): Promise<Tokenizer> {
  const lines = all.map((command) => {
    const [text, instruction] = [textOf(command, '.'), instructionOf(command)];
    return `Text: ${text}\nAsk: ${instruction}\nText: ${textOf(command, '!')}\nScore: 1\nScore: 5\n`;
  });
  return trainByteLevelBpe([lines.join('')], { vocabSize: 340 });
}

/** What one seed draws: no command is in two parts. */
export interface World {
  /** What the first model learns from, in pairs of prompt and completion. */
  readonly seeds: readonly { readonly prompt: string; readonly completion: string }[];
  /** Texts without their instruction; the place tells the right one, for counting alone. */
  readonly documents: readonly { readonly place: string; readonly document: string }[];
  /** Instructions that are answered several times and compared. */
  readonly queries: readonly string[];
  /** Instructions for the trial. */
  readonly held: readonly Command[];
}

/** Draws the parts of a world. */
export function world(seed: number): World {
  const order = shuffledExamples(all, seed);
  const random = new Random(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random.next() * list.length)]!;
  return {
    seeds: order.slice(0, 120).flatMap((command) => seedPairs(command, pick)),
    documents: order.slice(120, 240).map((command) => ({
      place: instructionOf(command),
      document: textOf(command, pick(ends)),
    })),
    queries: order.slice(240, 300).map(instructionOf),
    held: order.slice(300),
  };
}

/** Pairs that teach to write an instruction for a text, and to score one: 5 for the right one, 1 for one with a wrong part. */
function seedPairs(command: Command, pick: <T>(list: readonly T[]) => T) {
  const { verb, a, b } = command;
  const other = (list: readonly string[]) =>
    pick(list.filter((one) => ![verb, a, b].includes(one)));
  return ends.flatMap((end) => {
    const document = textOf(command, end);
    const instruct = {
      prompt: String(prompts.instruct.write({ document } as never)),
      completion: ` ${instructionOf(command)}\n`,
    };
    const score = (of: Command, value: number) => ({
      prompt: String(prompts.score.write({ instruction: instructionOf(of), response: document })),
      completion: ` ${value}\n`,
    });
    const wrong = [
      { ...command, verb: other(Object.keys(forms)) },
      { ...command, a: other(words) },
      { ...command, b: other(words) },
    ];
    const right = score(command, 5);
    return [instruct, instruct, right, right, right, ...wrong.map((one) => score(one, 1))];
  });
}
