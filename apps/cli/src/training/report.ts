import { generate } from '@headwise/generation';
import { colors, curve, type Output } from '../output.js';
import type { RunConfig } from '../run-config.js';
import type { RunFolder } from '../run-folder.js';
import type { RunData } from './prepare.js';
import type { Session } from './session.js';

/** Shows what a run has reached: its loss curve, validation before and after, and how it writes. */
export async function reportRun(
  out: Output,
  session: Session,
  config: RunConfig,
  data: RunData,
  folder: RunFolder,
): Promise<void> {
  const { history } = folder;
  const losses = history.flatMap((entry) => ('validation' in entry ? [] : [entry.loss]));
  const validations = history.flatMap((entry) =>
    'validation' in entry ? [{ step: entry.step, ...entry.validation }] : [],
  );
  out.emit({ event: 'validation', history: validations });
  if (losses.length > 1) out.say(`\n${curve(losses, 'training loss, nats a token').trimEnd()}\n`);
  for (const { step, loss, bitsPerByte } of validations) {
    out.say(
      `validation ${step === 0 ? 'before' : `after ${step} steps`}: loss ${loss.toFixed(3)} nats a token, ${bitsPerByte.toFixed(3)} bits per byte`,
    );
  }
  if (config.samples) await showSamples(out, session, config.samples, data);
}

async function showSamples(
  out: Output,
  session: Session,
  samples: NonNullable<RunConfig['samples']>,
  { tokenizer }: RunData,
): Promise<void> {
  const prompt = tokenizer.encode(samples.prompt).ids;
  for (const temperature of samples.temperatures) {
    const ids: number[] = [];
    const options = { temperature, maxNewTokens: samples.maxNewTokens, seed: samples.seed };
    for await (const id of generate(session.model.network, prompt, options)) ids.push(id);
    const text = tokenizer.decode(ids);
    out.emit({ event: 'sample', temperature, prompt: samples.prompt, text });
    out.say(`\n${colors.bold(`temperature ${temperature}`)}\n${samples.prompt}${text}`);
  }
}
