import { DeviceLostError, InputError } from '@headwise/core';
import { nextTask } from '@headwise/core/internal';
import type { TrainStep } from '@headwise/training';
import * as tf from '@tensorflow/tfjs';
import { rewind, saveProgress } from '../store/database.js';
import type { RunNews, RunRecord } from '../store/records.js';
import { takeRun } from './run-lock.js';
import { RunSession } from './run-session.js';

/** What the trainer tells the page. */
export type TrainerEvent =
  | { kind: 'run'; record: RunRecord; news: RunNews }
  /** The run goes on from an earlier step: what came after it is to be forgotten. */
  | { kind: 'cut'; run: string; step: number }
  | { kind: 'device-lost'; message: string }
  | { kind: 'device-back' };

/** Milliseconds between two reports of a run. */
const reportEvery = 250;
/** Losses of the device without a new saved state between them that a run survives. */
const maxLosses = 3;

interface Active {
  record: RunRecord;
  session: RunSession;
  release: () => void;
  news: RunNews;
  reported: number;
  wanted: 'running' | 'paused' | 'stopped';
  losses: number;
}

const noNews = (): RunNews => ({ points: [], validations: [], samples: [] });

/** Trains the runs that are active, one step of each in turn, so that they share one clock. */
export class Trainer {
  readonly #active = new Map<string, Active>();
  readonly #emit: (event: TrainerEvent) => void;
  readonly #textOf: (record: RunRecord) => Promise<string | undefined>;
  readonly #restart: () => Promise<void>;
  #looping = false;

  constructor(parts: {
    emit: (event: TrainerEvent) => void;
    textOf: (record: RunRecord) => Promise<string | undefined>;
    /** Starts a new device in place of a lost one. */
    restart: () => Promise<void>;
  }) {
    this.#emit = parts.emit;
    this.#textOf = parts.textOf;
    this.#restart = parts.restart;
  }

  /** The session of a run that is training now. */
  session(run: string): RunSession | undefined {
    return this.#active.get(run)?.session;
  }

  /** Whether a run is training. */
  get busy(): boolean {
    return this.#active.size > 0;
  }

  rename(run: string, name: string): void {
    const active = this.#active.get(run);
    if (active) active.record.name = name;
  }

  /** Starts a run, or goes on with it where it was saved last. */
  async start(record: RunRecord): Promise<void> {
    if (this.#active.has(record.id)) return;
    const release = await takeRun(record.id);
    if (!release) {
      throw new InputError(
        `${record.name} is being trained in another tab. Pause it there, or fork it here.`,
      );
    }
    try {
      const { session, record: from } = await this.#open(record);
      const active: Active = {
        record: { ...from, status: 'running' },
        session,
        release,
        news: noNews(),
        reported: 0,
        wanted: 'running',
        losses: 0,
      };
      delete active.record.problem;
      delete active.record.note;
      active.record.vocabSize = session.data.tokenizer.vocabSize;
      active.record.parameters = session.model.params.count();
      this.#active.set(record.id, active);
      await this.#report(active);
      void this.#loop();
    } catch (error) {
      release();
      throw error;
    }
  }

  /**
   * Asks a run to save and end, for now or for good; it does so after the step that it is in.
   *
   * @returns whether it is training here
   */
  end(run: string, wanted: 'paused' | 'stopped'): boolean {
    const active = this.#active.get(run);
    if (active) active.wanted = wanted;
    return active !== undefined;
  }

  /** A session, and the record of its run as it was when that was saved. */
  async #open(record: RunRecord): Promise<{ session: RunSession; record: RunRecord }> {
    const session = await RunSession.open(record, await this.#textOf(record));
    const rewound = await rewind(record, session.step);
    this.#emit({ kind: 'cut', run: record.id, step: session.step });
    return { session, record: rewound };
  }

  async #loop(): Promise<void> {
    if (this.#looping) return;
    this.#looping = true;
    try {
      while (this.#active.size > 0) {
        for (const active of [...this.#active.values()]) await this.#turn(active);
        await nextTask();
      }
    } finally {
      this.#looping = false;
    }
  }

  /** One step of a run, with what is due after it. */
  async #turn(active: Active): Promise<void> {
    try {
      if (active.wanted !== 'running') {
        await this.#finish(active, active.wanted);
        return;
      }
      if (active.session.step === 0) await this.#measure(active);
      const made = await active.session.advance();
      if (!made) {
        await this.#finish(active, 'done');
        return;
      }
      this.#note(active, made);
      await this.#measure(active);
      if (active.session.step % active.record.config.training.checkpointEvery === 0) {
        await this.#save(active);
      }
      if (performance.now() - active.reported > reportEvery) await this.#report(active);
    } catch (error) {
      if (error instanceof DeviceLostError) await this.#afterLoss(error);
      else await this.#fail(active, error as Error);
    }
  }

  #note({ record, session, news }: Active, made: TrainStep): void {
    record.step = session.step;
    record.seconds += made.ms / 1000;
    record.loss = made.loss;
    const memory = tf.memory() as { numBytes: number; numBytesAllocatedInGPU?: number };
    news.points.push({
      step: made.step,
      seconds: record.seconds,
      loss: made.loss,
      gradientNorm: made.gradientNorm,
      learningRate: made.learningRate,
      tokensPerSecond: (made.tokens / made.ms) * 1000,
      memory: memory.numBytesAllocatedInGPU ?? memory.numBytes,
    });
  }

  /** Measures and writes samples where that is due after this many steps. */
  async #measure({ record, session, news }: Active): Promise<void> {
    const { validateEvery, sampleEvery, steps } = record.config.training;
    const { step } = session;
    const due = (every: number) => step % every === 0 || step === steps;
    if (due(validateEvery)) {
      const loss = await session.validate();
      record.validationLoss = loss;
      news.validations.push({ step, seconds: record.seconds, loss });
    }
    if (step > 0 && due(sampleEvery)) news.samples.push(...(await session.samples()));
  }

  /** Writes the state, then the record that names it, then removes the state before. */
  async #save(active: Active): Promise<void> {
    active.record.checkpoint = await active.session.save();
    await this.#report(active);
    await active.session.forgetOlder(active.record.checkpoint);
    active.losses = 0;
  }

  async #report(active: Active): Promise<void> {
    const { record, news } = active;
    active.news = noNews();
    active.reported = performance.now();
    this.#emit({ kind: 'run', record: { ...record }, news });
    await saveProgress(record, news);
  }

  async #finish(active: Active, status: 'paused' | 'stopped' | 'done'): Promise<void> {
    active.record.status = status;
    await this.#save(active);
    this.#close(active);
  }

  /** Ends a run that cannot go on; what was saved of it stays. */
  async #fail(active: Active, error: Error): Promise<void> {
    const { record } = active;
    const full = error.name === 'QuotaExceededError';
    record.status = full ? 'paused' : 'failed';
    record.problem = full
      ? `The browser has no more room for saved states. ${lastSaved(record)} Remove runs that you do not need, or free disk space, then resume.`
      : `${sentence(error)} ${lastSaved(record)}`;
    try {
      await this.#report(active);
    } catch {
      this.#emit({ kind: 'run', record: { ...record }, news: noNews() });
    }
    this.#close(active);
  }

  /** Every run goes on from its last saved state on a new device. */
  async #afterLoss(error: DeviceLostError): Promise<void> {
    this.#emit({ kind: 'device-lost', message: error.loss });
    const all = [...this.#active.values()];
    for (const { session } of all) session.dispose();
    await this.#restart();
    this.#emit({ kind: 'device-back' });
    for (const active of all) {
      active.losses++;
      active.news = noNews();
      try {
        if (active.losses > maxLosses) throw error;
        Object.assign(active, await this.#open(active.record));
      } catch (failure) {
        active.record.status = 'failed';
        active.record.problem = `${sentence(failure as Error)} ${lastSaved(active.record)}`;
        await this.#report(active);
        this.#active.delete(active.record.id);
        active.release();
      }
    }
  }

  #close(active: Active): void {
    this.#active.delete(active.record.id);
    active.session.dispose();
    active.release();
  }
}

/** What went wrong, with one full stop: browsers write one, our errors do not. */
function sentence({ message }: Error): string {
  return `${message.replace(/\.$/, '')}.`;
}

function lastSaved({ checkpoint }: RunRecord): string {
  return checkpoint === undefined
    ? 'Nothing was saved of it yet.'
    : `Everything up to step ${checkpoint} is saved.`;
}
