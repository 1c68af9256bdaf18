import { type BackendName, DeviceLostError, InputError } from '@headwise/core';
import type { SamplingOptions } from '@headwise/generation';
import { strToU8, zipSync } from 'fflate';
import { checkData } from '../data/check-data.js';
import { withContext } from '../data/size-of-data.js';
import { readTextFile } from '../data/texts.js';
import { countParameters } from '../model/count-parameters.js';
import { parseRunConfig, type RunConfig } from '../model/run-config.js';
import {
  allRuns,
  copyHistory,
  getRun,
  getText,
  historyParts,
  putRun,
  putText,
  removeRun,
  rewind,
  textNames,
} from '../store/database.js';
import { removeRunFiles } from '../store/files.js';
import type { RunRecord } from '../store/records.js';
import { benchmark } from './benchmarks.js';
import { type EngineReport, loseDevice, onDeviceLost, startEngine } from './engine.js';
import { exportFolder } from './export-folder.js';
import { importFolder } from './import-folder.js';
import { importSweep } from './import-sweep.js';
import { type Head, headMap, headNeurons, inspectText, layerLens } from './inspection.js';
import type { ModelSource } from './model-source.js';
import { Models } from './models.js';
import { parityReceipt } from './receipt.js';
import { type Call, serve, type WorkerScope } from './rpc.js';
import { holdState, isTaken, untilFree } from './run-lock.js';
import { runMemory } from './run-memory.js';
import { copyState, hasState } from './stored-run.js';
import { Trainer, type TrainerEvent } from './trainer.js';
import { chooseVariants } from './variants.js';
import { nextScores, scoreIds, write } from './writing.js';

declare const self: WorkerScope;

/** What the worker tells the page unasked. */
export type LabEvent =
  | TrainerEvent
  | { kind: 'engine'; report: EngineReport }
  | { kind: 'removed'; run: string };

const emit = (event: LabEvent) => self.postMessage({ event });

let engine: Promise<EngineReport> | undefined;
let wanted: BackendName | undefined;

/** Starts the backend once, and again after the device was lost. */
function start(): Promise<EngineReport> {
  engine ??= startEngine(wanted).then((report) => {
    emit({ kind: 'engine', report });
    onDeviceLost((message) => {
      engine = undefined;
      models.clear();
      if (!trainer.busy) emit({ kind: 'device-lost', message });
    });
    return report;
  });
  engine.catch(() => {
    engine = undefined;
  });
  return engine;
}

const trainer = new Trainer({
  emit,
  textOf: async ({ config }) => textOf(config),
  restart: async () => {
    engine = undefined;
    models.clear();
    await start();
  },
});
/** Where the page lies; its files are found from there, on any host and path. */
let base = self.location.href;
const models = new Models(trainer, () => new URL('models/moby-dick/', base).href);

async function textOf({ data }: RunConfig): Promise<string | undefined> {
  if (data.source === 'moby-dick') return bundledText();
  if (data.source !== 'file') return undefined;
  const text = data.file === undefined ? undefined : await getText(data.file);
  if (text === undefined) {
    throw new InputError(
      data.file === undefined
        ? 'no text file is chosen; drop one, or choose another source'
        : `the text ${data.file} is not in this browser; drop the file again`,
    );
  }
  return text;
}

async function bundledText(): Promise<string> {
  const response = await fetch(new URL('texts/moby-dick.txt', base));
  if (!response.ok) throw new Error(`the bundled text cannot be loaded: ${response.status}`);
  return response.text();
}

/** Every run, and which of them another tab trains. */
async function listRuns(): Promise<{ runs: RunRecord[]; elsewhere: string[] }> {
  const elsewhere: string[] = [];
  const listed = async (run: RunRecord): Promise<RunRecord> => {
    if (trainer.training(run.id)) return run;
    if (await isTaken(run.id)) {
      elsewhere.push(run.id);
      return run;
    }
    return run.status === 'running' || run.status === 'preparing' ? interrupted(run) : run;
  };
  return { runs: await Promise.all((await allRuns()).map(listed)), elsewhere };
}

/** A run that says it is training, but that no tab trains: it is paused where it was saved last. */
async function interrupted(run: RunRecord): Promise<RunRecord> {
  const { step, checkpoint = 0 } = run;
  const paused: RunRecord = { ...(await rewind(run, checkpoint)), status: 'paused' };
  if (step > checkpoint) {
    const saved =
      checkpoint === 0
        ? 'Nothing was saved of it yet, so Resume starts it again.'
        : `Its last saved state is of step ${checkpoint}, from which Resume goes on.`;
    paused.note = `It was interrupted at step ${step}. ${saved}`;
  }
  await putRun(paused);
  return paused;
}

/** The saved state that the fork goes on from that is being set up in this tab. */
let held: { run: string; step: number; release: () => void } | undefined;

async function recordOf(id: string): Promise<RunRecord> {
  const record = await getRun(id);
  if (!record) throw new InputError('this run does not exist any more');
  return record;
}

/** Makes a device anew where a question met a lost one; a second loss is an error. */
async function surviving<T>(ask: () => Promise<T>): Promise<T> {
  await start();
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof DeviceLostError)) throw error;
    engine = undefined;
    models.clear();
    await start();
    return ask();
  }
}

const opening = async (source: ModelSource) => models.open(source);

export const methods = {
  start: (_: Call, page: string, prefer?: BackendName) => {
    base = page;
    if (prefer !== wanted) engine = undefined;
    wanted = prefer;
    return start();
  },
  loseDevice: () => loseDevice(),
  runs: () => listRuns(),
  /** Tells the history of a run part by part: all of it at once would hold up the page. */
  history: async ({ progress }: Call, id: string): Promise<void> => {
    for await (const part of historyParts(id)) progress(part);
  },
  createRun: async (
    _: Call,
    { name, config, id }: { name: string; config: unknown; id: string },
  ): Promise<RunRecord> => {
    const record: RunRecord = {
      id,
      name,
      config: parseRunConfig(config),
      status: 'preparing',
      createdAt: Date.now(),
      step: 0,
      seconds: 0,
    };
    const text = await textOf(record.config);
    if (record.config.data.source === 'file') await checkData(record.config, text);
    await putRun(record);
    return record;
  },
  forkRun: async (
    _: Call,
    {
      from,
      step,
      name,
      config,
      id,
    }: { from: string; step: number; name: string; config: unknown; id: string },
  ): Promise<RunRecord> => {
    const parent = await recordOf(from);
    if (!(await hasState(from, step))) {
      throw new InputError(
        `the state of ${parent.name} at step ${step} is gone; fork it again from its newest`,
      );
    }
    const { training } = parseRunConfig(config);
    if (training.steps <= step) {
      throw new InputError(
        `'training.steps' ${training.steps} is not more than the ${step} that the fork has made already`,
      );
    }
    const record: RunRecord = {
      ...parent,
      id,
      name,
      config: { ...parent.config, training },
      status: 'paused',
      createdAt: Date.now(),
      checkpoint: step,
      forkOf: { id: from, step },
    };
    delete record.problem;
    delete record.note;
    await copyState(from, id, step);
    return copyHistory(from, record, step);
  },
  /**
   * Keeps a saved state of a run until another is asked for: the newest, where the wanted one is gone.
   *
   * @returns its step
   */
  holdState: async (_: Call, run: string, wanted?: number): Promise<number> => {
    if (held?.run === run && held.step === wanted) return held.step;
    held?.release();
    held = undefined;
    for (let step = wanted; ; step = undefined) {
      const { name, checkpoint } = await recordOf(run);
      const asked = step ?? checkpoint;
      if (asked === undefined) {
        throw new InputError(`${name} has no saved state yet; pause it, then fork it`);
      }
      const release = await holdState(run, asked);
      if (await hasState(run, asked)) {
        held = { run, step: asked, release };
        return asked;
      }
      release();
      if (step === undefined && (await recordOf(run)).checkpoint === checkpoint) {
        throw new InputError(`the saved state of ${name} is gone; it cannot be forked`);
      }
    }
  },
  releaseState: () => {
    held?.release();
    held = undefined;
  },
  /** Settles when no tab trains a run any more. */
  untilFree: (_: Call, run: string) => untilFree(run),
  train: async (_: Call, id: string) => {
    const record = await recordOf(id);
    try {
      await start();
      await trainer.start(record);
    } catch (error) {
      // What never began leaves nothing behind; why is said where it was started.
      if (record.status === 'preparing' && !(await isTaken(id))) {
        await removeRun(id);
        await removeRunFiles(id);
        emit({ kind: 'removed', run: id });
      }
      throw error;
    }
  },
  endRun: async (_: Call, id: string, how: 'paused' | 'stopped') => {
    if (trainer.end(id, how)) return;
    const { name } = await recordOf(id);
    if (await isTaken(id)) {
      throw new InputError(`${name} is being trained in another tab; pause or stop it there`);
    }
  },
  renameRun: async (_: Call, id: string, name: string) => {
    trainer.rename(id, name);
    await putRun({ ...(await recordOf(id)), name });
  },
  removeRun: async (_: Call, id: string) => {
    if (await isTaken(id)) throw new InputError('this run is training; pause or stop it first');
    await removeRun(id);
    await removeRunFiles(id);
  },
  exportRun: async (_: Call, id: string): Promise<Uint8Array> => {
    const record = await recordOf(id);
    const files = await surviving(() => exportFolder(record));
    return zipSync(
      Object.fromEntries(
        Object.entries(files).map(([name, content]) => [
          name,
          typeof content === 'string' ? strToU8(content) : content,
        ]),
      ),
      { level: 0 },
    );
  },
  importRun: (
    _: Call,
    { id, name, files }: { id: string; name: string; files: ReadonlyMap<string, Blob> },
  ): Promise<RunRecord> => importFolder(files, { id, name }),
  importSweep: (_: Call, name: string, json: unknown): Promise<RunRecord[]> =>
    importSweep(json, { name, id: () => crypto.randomUUID() }),
  /** The parameters that a model will have. */
  countParameters: async (_: Call, config: unknown, vocabSize: number) => {
    await start();
    return countParameters(withContext(parseRunConfig(config)).model, vocabSize);
  },
  /** The memory that a run will take on WebGPU. */
  planMemory: async (_: Call, config: unknown, vocabSize: number) => {
    await start();
    return runMemory(parseRunConfig(config), vocabSize);
  },
  addText: async (_: Call, file: File) => {
    const text = await readTextFile(file, file.name);
    await putText(file.name, text);
    return { name: file.name, characters: text.length };
  },
  texts: () => textNames(),
  bundledText: () => bundledText(),
  model: (_: Call, source: ModelSource) => surviving(() => models.info(source)),
  inspect: (_: Call, source: ModelSource, text: string, ablated: Head[]) =>
    surviving(async () => inspectText(await opening(source), text, ablated)),
  neurons: (_: Call, source: ModelSource, text: string, head: Head & { row: number }) =>
    surviving(async () => headNeurons(await opening(source), text, head)),
  lens: (_: Call, source: ModelSource, text: string) =>
    surviving(async () => layerLens(await opening(source), text)),
  headMap: (_: Call, source: ModelSource, text: string, head: Head) =>
    surviving(async () => headMap(await opening(source), text, head)),
  encode: (_: Call, source: ModelSource, text: string) =>
    surviving(async () => (await opening(source)).tokenizer.encode(text).ids),
  scoreIds: (_: Call, source: ModelSource, ids: number[]) =>
    surviving(async () => scoreIds(await opening(source), ids)),
  next: (_: Call, source: ModelSource, ids: number[]) =>
    surviving(async () => nextScores(await opening(source), ids)),
  receipt: (call: Call) =>
    surviving(() => parityReceipt(new URL('goldens/gpt2.json', base).href, call.progress)),
  benchmark: (call: Call) => surviving(() => benchmark(call.progress)),
  variants: () => surviving(() => chooseVariants()),
  write: (
    call: Call,
    source: ModelSource,
    ids: number[],
    options: SamplingOptions & { maxNewTokens: number; seed: number },
  ) => surviving(async () => write(await opening(source), ids, options, call)),
};

export type LabMethods = typeof methods;

serve(self, methods);
