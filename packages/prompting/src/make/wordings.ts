/** What the prompts of recipes say, by their names; a slot `{{name}}` takes a value of the recipe. */
export const wordings = {
  instruct: `Below is a text. Write the instruction or question of a user that this text is the best answer to. Write the instruction alone, in one paragraph.

{{examples}}Text:
{{document}}

Instruction:`,
  example: `Text:
{{document}}

Instruction: {{instruction}}`,
  score: `Below are an instruction of a user and a candidate answer. How good an answer of an AI assistant is it?
1: it is incomplete, vague, off topic, or not what was asked for.
2: it addresses most of what was asked for, but not the question itself.
3: it is helpful, but not written as an assistant would, such as an excerpt of a web page.
4: it is written as an assistant would, complete and clear, with small shortcomings.
5: it is a perfect answer: focused, correct, well written, with nothing that is beside the point.
Give your reasons in a few words. Then write "Score: " and the number.

Instruction:
{{instruction}}

Answer:
{{response}}`,
  evolve: `Below is an instruction of a user to an AI assistant. Write it again, so that it is somewhat harder to follow: {{method}} It must stay reasonable, and be understood and answered by people. Add 10 to 20 words at most, and leave out no table, code or input. Write the new instruction alone.

Instruction:
{{instruction}}

New instruction:`,
  invent: `Below is an instruction of a user to an AI assistant. Write another one of the same field, about as long and as hard, that is rarer. It must be reasonable, and be understood and answered by people. Write the new instruction alone.

Instruction:
{{instruction}}

New instruction:`,
  same: `Below are two instructions of users to an AI assistant. Do they ask for the same: with the same constraints, and as deep and as wide an answer? Write "Verdict: same" or "Verdict: different".

First instruction:
{{first}}

Second instruction:
{{second}}`,
  tasks: `Below are tasks for an AI assistant. Write more tasks, of many kinds and about many subjects, each of which is complete in itself. Number them on from {{next}}, one a line.

{{tasks}}`,
  compare: `Below are an instruction of a user and two answers. Which answer is better by this principle?

Principle: {{principle}}

Instruction:
{{instruction}}

Answer A:
{{first}}

Answer B:
{{second}}

Give your reasons in a few words. Then write "Verdict: A" or "Verdict: B".`,
  critique: `Below are an instruction of a user and an answer. Say in what the answer falls short of this principle.

Principle: {{principle}}

Instruction:
{{instruction}}

Answer:
{{response}}

Critique:`,
  revise: `Below are an instruction of a user, an answer and a critique of it. Write the answer again, so that the critique no longer holds. Write the new answer alone.

Principle: {{principle}}

Instruction:
{{instruction}}

Answer:
{{response}}

Critique:
{{critique}}

New answer:`,
} as const;

/** How an instruction is made harder: the operations of Evol-Instruct in depth, and `invent`, that in breadth. */
export const evolutions = {
  constrain: 'add one more constraint or requirement.',
  deepen: 'if it asks about something, ask for more depth and breadth.',
  concretize: 'replace general concepts by more specific ones.',
  reason:
    'if it can be answered with a few simple thoughts, ask expressly for several steps of reasoning.',
  invent: '',
} as const;

/** Principles of answers, in the manner of a constitution. */
export const principles: readonly string[] = [
  'The answer does what the user asks for, completely and no more.',
  'The answer is true; where it is not sure it says so.',
  'The answer is clear, well ordered, and as short as it can be.',
  'The answer helps nobody to do harm, and is neither insulting nor unfair to anyone.',
  'The answer is polite and takes the user seriously, without preaching.',
];
