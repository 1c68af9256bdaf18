import type { HistoryEntry } from '../history.js';

/** The values of an entry of a run's history by their tags in TensorBoard, and after how many steps they are; none of a sample. */
export function scalarsOf(
  entry: HistoryEntry,
): { step: number; scalars: Record<string, number> } | undefined {
  if ('validation' in entry) {
    const { loss, bitsPerByte } = entry.validation;
    const bits = bitsPerByte === undefined ? {} : { 'validation/bits_per_byte': bitsPerByte };
    return { step: entry.step, scalars: { 'validation/loss': loss, ...bits } };
  }
  if (!('loss' in entry)) return undefined;
  const { step, loss, gradientNorm, learningRate, lossScale, ms, tokens, measures = {} } = entry;
  const named = Object.entries(measures).map(([name, value]) => [`train/${name}`, value]);
  return {
    step: step + 1,
    scalars: {
      'train/loss': loss,
      ...(gradientNorm === undefined ? {} : { 'train/gradient_norm': gradientNorm }),
      'train/learning_rate': learningRate,
      ...(lossScale === undefined ? {} : { 'train/loss_scale': lossScale }),
      ...(tokens === undefined || ms === 0
        ? {}
        : { 'train/predicted_per_second': (1000 * tokens) / ms }),
      ...Object.fromEntries(named),
    },
  };
}
