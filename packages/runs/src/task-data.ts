import { type Tokenizer, trainCharacter } from '@headwise/tokenizers';
import { ignoredTarget, type TokenBatch } from '@headwise/training';
import type { TaskData, TrainingPart } from './run-config.js';
import type { RunData } from './run-data.js';
import { alphabets, type Problem, problemAt } from './tasks.js';

/** Problems to measure on. */
const validationProblems = 64;
/** Problems whose answers the model writes. */
const shownProblems = 3;

/** The batches of a task: problems made from the run's seed; only the answers are predicted. */
export async function taskData(
  { task, length = 0 }: TaskData,
  { batchSize, seed }: TrainingPart,
  given: Tokenizer | undefined,
): Promise<RunData> {
  const tokenizer = given ?? (await trainCharacter([alphabets[task]]));
  const problem = (stream: string, index: number) =>
    problemAt(task, { length, seed, stream, index });
  const batch = (stream: string, first: number, rows: number) =>
    problemBatch(
      tokenizer,
      Array.from({ length: rows }, (_, row) => problem(stream, first + row)),
    );
  return {
    tokenizer,
    batches: { at: (step) => batch('train', step * batchSize, batchSize) },
    *validation() {
      for (let first = 0; first < validationProblems; first += batchSize) {
        yield batch('validation', first, Math.min(batchSize, validationProblems - first));
      }
    },
    prompts: Array.from({ length: shownProblems }, (_, index) => {
      const { text, answerAt } = problem('validation', index);
      return { prompt: text.slice(0, answerAt), expected: text.slice(answerAt) };
    }),
  };
}

/** Problems of one length as a batch; the target of a question is `ignoredTarget`. */
function problemBatch(tokenizer: Tokenizer, problems: readonly Problem[]): TokenBatch {
  const length = problems[0]!.text.length - 1;
  const inputs = new Int32Array(problems.length * length);
  const targets = new Int32Array(problems.length * length).fill(ignoredTarget);
  problems.forEach(({ text, answerAt }, row) => {
    const { ids } = tokenizer.encode(text);
    inputs.set(ids.slice(0, length), row * length);
    targets.set(ids.slice(answerAt), row * length + answerAt - 1);
  });
  return { inputs, targets, shape: [problems.length, length] };
}
