import { DeviceLostError, InputError } from '@headwise/core';
import { nextTask } from '@headwise/core/internal';
import { checkCorpus, DeviceLosses, prepareData, Session, textHash } from '@headwise/runs';
import type { Tokenizer } from '@headwise/tokenizers';
import { runFileOf } from '../model/run-file.js';
import { noNews, type RunNews, type RunRecord } from '../store/records.js';
import { takeRun } from './run-lock.js';
import { StoredRun } from './stored-run.js';

/** What the trainer tells the page. */
export type TrainerEvent =
  | { kind: 'run'; record: RunRecord; news: RunNews }
  /** The run goes on from an earlier step: what came after it is to be forgotten. */
  | { kind: 'cut'; run: string; step: number }
  | { kind: 'device-lost'; message: string }
  | { kind: 'device-back' };

/** Milliseconds between two reports of a run. */
const reportEvery = 250;

/** A run that trains, and its session on the device in use. */
interface Active {
  storage: StoredRun;
  session: Session;
  tokenizer: Tokenizer;
  release: () => void;
  reported: number;
  wanted: 'running' | 'paused' | 'stopped';
  losses: DeviceLosses;
}

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

  /** The session of a run that is training now, and its tokenizer. */
  training(run: string): Pick<Active, 'session' | 'tokenizer'> | undefined {
    return this.#active.get(run);
  }

  /** Whether a run is training. */
  get busy(): boolean {
    return this.#active.size > 0;
  }

  rename(run: string, name: string): void {
    const active = this.#active.get(run);
    if (active) active.storage.record.name = name;
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
      const opened = await this.#open(new StoredRun(record, this.#tell));
      const active: Active = {
        ...opened,
        release,
        reported: 0,
        wanted: 'running',
        losses: new DeviceLosses(),
      };
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

  readonly #tell = (record: RunRecord, news: RunNews): void =>
    this.#emit({ kind: 'run', record, news });

  /** The session of a run from its last saved state. */
  async #open(storage: StoredRun): Promise<Pick<Active, 'storage' | 'session' | 'tokenizer'>> {
    const { record } = storage;
    const config = runFileOf(record.config);
    const text = await this.#textOf(record);
    const corpus = text === undefined ? undefined : await textHash(text);
    if (corpus !== undefined && 'corpus' in config.data) {
      checkCorpus(record.name, record.corpus, corpus, `'data.corpus' ${config.data.corpus}`);
    }
    const stored = await storage.tokenizer();
    const data = await prepareData(config, { text, tokenizer: stored });
    const { tokenizer } = data;
    if (!stored) await storage.keepTokenizer(tokenizer);
    const session = await Session.open({ config, data, storage });
    this.#emit({ kind: 'cut', run: record.id, step: session.step });
    const { problem: _, note: __, ...rewound } = storage.record;
    storage.record = {
      ...rewound,
      status: 'running',
      vocabSize: tokenizer.vocabSize,
      parameters: session.model.params.count(),
      ...(corpus === undefined ? {} : { corpus }),
    };
    return { storage, session, tokenizer };
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

  /** One step of a run, with the measurement, samples and checkpoint that are due after it. */
  async #turn(active: Active): Promise<void> {
    try {
      if (active.wanted !== 'running') {
        await this.#finish(active, active.wanted);
        return;
      }
      await active.session.begin();
      if (!(await active.session.advance())) {
        await this.#finish(active, 'done');
        return;
      }
      if (performance.now() - active.reported > reportEvery) await this.#report(active);
    } catch (error) {
      if (error instanceof DeviceLostError) await this.#afterLoss(error);
      else await this.#fail(active, error as Error);
    }
  }

  #report(active: Active): Promise<void> {
    active.reported = performance.now();
    return active.storage.report();
  }

  async #finish(active: Active, status: 'paused' | 'stopped' | 'done'): Promise<void> {
    active.storage.record.status = status;
    await active.session.save();
    await this.#report(active);
    this.#close(active);
  }

  /** Ends a run that cannot go on; what was saved of it stays. */
  async #fail(active: Active, error: Error): Promise<void> {
    const { record } = active.storage;
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
      try {
        if (!active.losses.survives(active.storage.record.checkpoint ?? 0)) throw error;
        Object.assign(active, await this.#open(active.storage));
      } catch (failure) {
        const { record } = active.storage;
        record.status = 'failed';
        record.problem = `${sentence(failure as Error)} ${lastSaved(record)}`;
        await this.#report(active);
        this.#active.delete(record.id);
        active.release();
      }
    }
  }

  #close(active: Active): void {
    this.#active.delete(active.storage.record.id);
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
