import type { Network } from '@headwise/core';
import type { HistoryEntry, RunData, Session } from '@headwise/runs';
import type { ExampleBatch } from '@headwise/training';
import { colors, curve, type Output } from '../output.js';

/** Tells how much there is to learn from. */
export function describeData(out: Output, { tokenizer, tokens }: RunData): void {
  const { vocabSize } = tokenizer;
  if (!tokens) {
    out.emit({ event: 'data', vocabSize });
    out.say(`data       problems of a task, vocabulary ${vocabSize}`);
    return;
  }
  const { train: trainTokens, validation: validationTokens } = tokens;
  out.emit({ event: 'data', vocabSize, trainTokens, validationTokens });
  out.say(
    `data       ${trainTokens} tokens to train on, ${validationTokens} to validate, vocabulary ${vocabSize}`,
  );
}

/** Shows what a run has reached: its loss curve, its validations, and what the model writes. */
export async function reportRun<N extends Network, B extends ExampleBatch>(
  out: Output,
  session: Session<N, B>,
  { history }: { history: readonly HistoryEntry[] },
): Promise<void> {
  const losses = history.flatMap((entry) => ('loss' in entry ? [entry.loss] : []));
  const validations = history.flatMap((entry) =>
    'validation' in entry ? [{ step: entry.step, ...entry.validation }] : [],
  );
  out.emit({ event: 'validation', history: validations });
  if (losses.length > 1) out.say(`\n${curve(losses, 'training loss, nats').trimEnd()}\n`);
  for (const { step, loss, bitsPerByte, metrics = {} } of validations) {
    const bits = bitsPerByte === undefined ? '' : `, ${bitsPerByte.toFixed(3)} bits per byte`;
    const others = Object.entries(metrics)
      .map(([name, value]) => `, ${name} ${value.toFixed(3)}`)
      .join('');
    out.say(
      `validation ${step === 0 ? 'before' : `after ${step} steps`}: loss ${loss.toFixed(3)} nats${bits === '' ? '' : ' a token'}${bits}${others}`,
    );
  }
  for await (const { temperature, prompt, text, expected } of session.samples()) {
    out.emit({ event: 'sample', temperature, prompt, text, expected });
    const right = expected === undefined ? '' : ` (expected ${expected})`;
    out.say(`\n${colors.bold(`temperature ${temperature}`)}\n${prompt}${text}${right}`);
  }
}
