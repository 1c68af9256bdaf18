import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { Document, JsonValue } from '../../documents/document.js';
import type { Step } from '../../documents/step.js';
import { type StepMaker, type StepSettings, stepsOf } from '../../documents/steps.js';
import { openInputs } from '../inputs.js';

/** A module with steps, which every thread of a run imports: it exports `stepMakers(options)`. */
export interface StepModule {
  /** Its address, such as `import.meta.resolve('./my-steps.js')`. */
  readonly url: string;
  /** What its `stepMakers` is called with; the run's output must not depend on it, but for what steps name by `depends`. */
  readonly options?: JsonValue | undefined;
}

/** What a module of `StepModule.url` exports. */
interface StepExports {
  readonly stepMakers: (
    options: JsonValue | undefined,
  ) => Readonly<Record<string, StepMaker>> | Promise<Readonly<Record<string, StepMaker>>>;
}

/**
 * The steps of a run.
 *
 * @param versions gets what they depend on besides options: the SHA-256 of files
 */
export async function loadSteps(
  settings: readonly StepSettings[],
  module: StepModule | undefined,
  versions?: Record<string, string>,
): Promise<Step[]> {
  const makers =
    module && (await ((await import(module.url)) as StepExports).stepMakers(module.options));
  async function* read(path: string): AsyncGenerator<Document> {
    yield* openInputs([path]);
    if (versions) versions[path] = await hashOf(path);
  }
  const depends = (name: string, version: string) => {
    if (versions) versions[name] = version;
  };
  return stepsOf(settings, 'pipeline', { makers, read, depends });
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
  return hash.digest('hex');
}
