import { appendFileSync, mkdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { LanguageModel, Network } from '@headwise/core';
import { FileError } from '@headwise/files';
import type { RunStorage } from '../storage.js';
import { eventRecord, type TensorBoardEvent } from '../tensorboard/records.js';
import { scalarsOf } from '../tensorboard/scalars.js';

let files = 0;

/**
 * A storage that also writes the steps and validations of a run to an event file of TensorBoard, as each is made.
 *
 * A run that resumes writes a file of its own, which voids what others hold from its first step on.
 *
 * @param folder of the event files, made where there is none: `tensorboard --logdir` takes it or one above it
 * @throws FileError, from `rewind` and `note`, where the file cannot be written
 * @example
 * const session = await Session.open({ config, data, storage: withTensorBoard(runFolder, 'logs/first') });
 */
export function withTensorBoard<N extends Network = LanguageModel>(
  storage: RunStorage<N>,
  folder: string,
): RunStorage<N> {
  let path: string | undefined;
  const write = (event: Omit<TensorBoardEvent, 'wallTime'>) => {
    const wallTime = Date.now() / 1000;
    const isNew = path === undefined;
    path ??= join(
      folder,
      `events.out.tfevents.${Math.floor(wallTime)}.${hostname()}.${process.pid}.${files++}`,
    );
    try {
      if (isNew) {
        mkdirSync(folder, { recursive: true });
        appendFileSync(path, eventRecord({ wallTime, fileVersion: 'brain.Event:2' }));
      }
      appendFileSync(path, eventRecord({ wallTime, ...event }));
    } catch (error) {
      throw new FileError(path, `cannot be written: ${(error as Error).message}`, { cause: error });
    }
  };
  return {
    state: () => storage.state(),
    async rewind(steps) {
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
