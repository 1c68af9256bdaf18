import { InputError } from '@headwise/core';
import type { BatchState, RewardedBatch } from '@headwise/training';
import { z } from 'zod';

/** The arrays of a batch, which are saved under `<number>.<name>`. */
const required = { inputs: Int32Array, targets: Int32Array, advantages: Float32Array } as const;
const optional = { written: Float32Array, reference: Float32Array } as const;
const arrayNames = [...Object.keys(required), ...Object.keys(optional)] as Name[];
type Name = keyof typeof required | keyof typeof optional;

/** What JSON holds of the batches, by their numbers. */
const notesSchema = z.record(
  z.string().regex(/^\d+$/),
  z.strictObject({
    shape: z.tuple([z.number().int().min(1), z.number().int().min(1)]),
    examples: z.array(z.number().int().min(0)),
    measures: z.record(z.string(), z.number()),
  }),
);

/** The batches of a round as a checkpoint saves them. */
export function saveRound(round: ReadonlyMap<number, RewardedBatch>): BatchState {
  const arrays: Record<string, Int32Array | Float32Array> = {};
  const notes: z.infer<typeof notesSchema> = {};
  for (const [number, batch] of round) {
    for (const name of arrayNames) {
      const values = batch[name];
      if (values) arrays[`${number}.${name}`] = values;
    }
    const { shape, examples = [], measures = {} } = batch;
    notes[number] = { shape: [...shape], examples: [...examples], measures: { ...measures } };
  }
  return { arrays, notes };
}

/**
 * The batches of a round, by their numbers, from what `saveRound` gave.
 *
 * @throws InputError where something is missing or of another size
 */
export function restoreRound({ arrays, notes }: BatchState): Map<number, RewardedBatch> {
  const parsed = notesSchema.safeParse(notes);
  if (!parsed.success) {
    throw new InputError('rollouts: the saved batches are not those of a round of completions');
  }
  return new Map(
    Object.entries(parsed.data).map(([number, { shape, examples, measures }]) => {
      const [rows, tokens] = shape;
      const found = Object.fromEntries(
        arrayNames.flatMap((name) => {
          const values = arrays[`${number}.${name}`];
          if (values === undefined && name in optional) return [];
          const size = name === 'advantages' ? rows : rows * tokens;
          if (values instanceof { ...required, ...optional }[name] && values.length === size) {
            return [[name, values]];
          }
          throw new InputError(
            `rollouts: '${name}' of saved batch ${number} has ${values?.length ?? 'no'} values; expected ${size}`,
          );
        }),
      );
      return [Number(number), { ...found, shape, examples, measures } as unknown as RewardedBatch];
    }),
  );
}
