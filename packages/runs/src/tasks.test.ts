import { expect, test } from 'vitest';
import { alphabets, problemAt, problemLength, taskNames } from './tasks.js';

const at = (task: (typeof taskNames)[number], index: number, stream = 'train') =>
  problemAt(task, { length: 7, seed: 1, stream, index });

test('every problem of a task is equally long, in its alphabet, and the same again', () => {
  for (const task of taskNames) {
    for (let index = 0; index < 50; index++) {
      const problem = at(task, index);
      expect(problem.text).toHaveLength(problemLength(task, 7));
      expect([...problem.text].every((char) => alphabets[task].includes(char))).toBe(true);
      expect(problem.answerAt).toBeGreaterThan(0);
      expect(problem.answerAt).toBeLessThan(problem.text.length);
      expect(at(task, index)).toEqual(problem);
    }
    expect(at(task, 0)).not.toEqual(at(task, 1));
  }
});

test('the answers are right', () => {
  for (let index = 0; index < 50; index++) {
    const parts = (task: (typeof taskNames)[number]) => {
      const { text, answerAt } = at(task, index);
      return [text.slice(0, answerAt).replace(/[|=]$/, ''), text.slice(answerAt)] as const;
    };
    const [copied, copy] = parts('copy');
    expect(copy).toBe(copied);
    const [forward, backward] = parts('reverse');
    expect([...backward].reverse().join('')).toBe(forward);
    const [mixed, sorted] = parts('sorting');
    expect([...mixed].sort().join('')).toBe(sorted);
    const [sum, result] = parts('addition');
    const [a, b] = sum.split('+').map(Number);
    expect(Number(result)).toBe((a! + b!) % 97);
    const [opened, closed] = parts('parentheses');
    expect(isBalanced(opened + closed.replace(/\.+$/, ''))).toBe(true);
  }
});

test('what follows in an induction problem followed the same token before', () => {
  for (let index = 0; index < 50; index++) {
    const { text, answerAt } = at('induction', index);
    const period = answerAt - 1;
    for (let i = period; i < text.length; i++) expect(text[i]).toBe(text[i - period]);
  }
});

test('no sum to be measured on is ever learned from', () => {
  const texts = (stream: string) =>
    new Set(Array.from({ length: 500 }, (_, index) => at('addition', index, stream).text));
  const learned = texts('train');
  for (const text of texts('validation')) expect(learned.has(text)).toBe(false);
});

function isBalanced(text: string): boolean {
  const open: string[] = [];
  for (const char of text) {
    if (char === '(') open.push(')');
    else if (char === '[') open.push(']');
    else if (open.pop() !== char) return false;
  }
  return open.length === 0;
}
