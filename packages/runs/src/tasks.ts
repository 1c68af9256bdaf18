import { Random } from '@headwise/core';
import { hashText } from '@headwise/core/internal';

/** Small problems with known answers. */
export const taskNames = [
  'copy',
  'reverse',
  'sorting',
  'induction',
  'addition',
  'parentheses',
] as const;
export type TaskName = (typeof taskNames)[number];

/** One problem; what is to be learned is the text from `answerAt` on. */
export interface Problem {
  text: string;
  answerAt: number;
}

const letters = 'abcdefghijklmnop';
const modulus = 97;

/** Every character that the problems of a task are written in. */
export const alphabets: Readonly<Record<TaskName, string>> = {
  copy: `${letters}|`,
  reverse: `${letters}|`,
  sorting: `${letters}|`,
  induction: letters,
  addition: '0123456789+=',
  parentheses: '()[]|.',
};

/** Characters of a problem; all problems of a task and a length are equally long. */
export function problemLength(task: TaskName, length: number): number {
  if (task === 'addition') return '00+00=00'.length;
  if (task === 'induction') return 2 * length;
  return 2 * length + 1;
}

/**
 * The problem of this number: a pure function of its arguments.
 *
 * @param stream sets problems to learn from apart from those to measure on
 */
export function problemAt(
  task: TaskName,
  { length, seed, stream, index }: { length: number; seed: number; stream: string; index: number },
): Problem {
  const random = new Random(hashText(`${task}/${seed}/${stream}/${index}`));
  return makers[task](random, length, stream);
}

const below = (random: Random, limit: number): number => Math.floor(random.next() * limit);

function randomLetters(random: Random, count: number): string {
  return Array.from({ length: count }, () => letters[below(random, letters.length)]).join('');
}

/** A question, a bar, and its answer. */
function questionAnd(answerOf: (question: string) => string) {
  return (random: Random, length: number): Problem => {
    const question = randomLetters(random, length);
    return { text: `${question}|${answerOf(question)}`, answerAt: length + 1 };
  };
}

const makers: Record<TaskName, (random: Random, length: number, stream: string) => Problem> = {
  copy: questionAnd((question) => question),
  reverse: questionAnd((question) => [...question].reverse().join('')),
  sorting: questionAnd((question) => [...question].sort().join('')),
  induction,
  addition,
  parentheses,
};

/** A random piece again and again: only who finds the earlier place knows what follows. */
function induction(random: Random, length: number): Problem {
  const period = length - below(random, Math.max(1, length >> 1));
  const piece = randomLetters(random, period);
  const text = piece.repeat(3).slice(0, 2 * length);
  return { text, answerAt: period + 1 };
}

/** Two numbers below 97 and their sum modulo 97; a tenth of all pairs is only ever measured on. */
function addition(random: Random, _length: number, stream: string): Problem {
  const wanted = stream === 'validation';
  for (;;) {
    const [a, b] = [below(random, modulus), below(random, modulus)];
    if ((hashText(`${a}+${b}`) % 10 === 0) !== wanted) continue;
    const two = (n: number) => String(n).padStart(2, '0');
    return { text: `${two(a)}+${two(b)}=${two((a + b) % modulus)}`, answerAt: 6 };
  }
}

/** Opening and closing brackets, then what still has to be closed. */
function parentheses(random: Random, length: number): Problem {
  const open: string[] = [];
  let question = '';
  while (question.length < length) {
    if (open.length > 0 && random.next() < 0.4) question += open.pop();
    else {
      const round = random.next() < 0.5;
      question += round ? '(' : '[';
      open.push(round ? ')' : ']');
    }
  }
  const answer = open.reverse().join('').padEnd(length, '.');
  return { text: `${question}|${answer}`, answerAt: length + 1 };
}
