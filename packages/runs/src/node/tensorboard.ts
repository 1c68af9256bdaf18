import { appendFileSync, mkdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { LanguageModel, Network } from '@headwise/core';
import { FileError } from '@headwise/files';
import type { RunStorage } from '../storage.js';
import { eventRecord, type TensorBoardEvent } from '../tensorboard/records.js';
import { scalarsOf } from '../tensorboard/scalars.js';

let files = 0;

export interface TensorBoardOptions {
  /** Is told, once, why events are no longer written; default `console.warn`. */
  warn?: ((message: string) => void) | undefined;
}

/**
 * A storage that also writes the steps and validations of a run to an event file of TensorBoard, as each is made.
 *
 * A run that resumes writes a file of its own, which voids what others hold from its first step on. Where the file cannot be written
 * any more, such as on a full disk, a warning says so, and the run goes on without.
 *
 * @param folder of the event files, made where there is none: `tensorboard --logdir` takes it or one above it
 * @throws FileError, from `rewind`, where the file cannot be made
 * @example
 * const session = await Session.open({ config, data, storage: withTensorBoard(runFolder, 'logs/first') });
 */
export function withTensorBoard<N extends Network = LanguageModel>(
  storage: RunStorage<N>,
  folder: string,
  { warn = console.warn }: TensorBoardOptions = {},
): RunStorage<N> {
  const begun = Date.now() / 1000;
  const name = `events.out.tfevents.${Math.floor(begun)}.${hostname()}.${process.pid}.${files++}`;
  const path = join(folder, name);
  let state: 'new' | 'open' | 'failed' = 'new';
  const append = (event: Omit<TensorBoardEvent, 'wallTime'>) =>
    appendFileSync(path, eventRecord({ wallTime: Date.now() / 1000, ...event }));
  const open = () => {
    if (state !== 'new') return;
    try {
      mkdirSync(folder, { recursive: true });
      append({ fileVersion: 'brain.Event:2' });
    } catch (error) {
      throw new FileError(path, `cannot be written: ${(error as Error).message}`, { cause: error });
    }
    state = 'open';
  };
  const write = (event: Omit<TensorBoardEvent, 'wallTime'>) => {
    if (state === 'failed') return;
    try {
      open();
      append(event);
    } catch (error) {
      // What follows a record that was cut is not read.
      state = 'failed';
      warn(
        `${path}: cannot be written (${(error as Error).message}); the run goes on without events for TensorBoard`,
      );
    }
  };
  return {
    state: () => storage.state(),
    async rewind(steps) {
      open();
      const rewound = await storage.rewind(steps);
      if (steps > 0) write({ step: steps + 1, restart: true });
      return rewound;
    },
    note(entry) {
      storage.note(entry);
      const event = scalarsOf(entry);
      if (event) write(event);
    },
    save: (checkpoint) => storage.save(checkpoint),
  };
}
