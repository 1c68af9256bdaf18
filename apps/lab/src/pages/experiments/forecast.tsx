import { type ReactElement, useEffect, useState } from 'react';
import { knownVocabulary } from '../../data/size-of-data.js';
import { lab } from '../../lab.js';
import type { RunConfig } from '../../model/run-config.js';
import { withoutUnused } from '../../model/settings.js';
import { bytes, short } from '../../ui/numbers.js';
import type { RunMemory } from '../../worker/run-memory.js';

/** Milliseconds without a change before the memory is planned, which takes the worker longer than a key stroke. */
const planAfter = 300;

/** What the run will take, before it starts; nothing where it cannot. */
export function Forecast({
  config,
  startable,
}: {
  config: RunConfig;
  startable: boolean;
}): ReactElement {
  const [parameters, setParameters] = useState<number>();
  const [memory, setMemory] = useState<RunMemory>();
  const known = knownVocabulary(config);
  // A text of characters rarely has more; the run itself counts them.
  const vocabSize = known ?? 100;
  useEffect(() => {
    setParameters(undefined);
    setMemory(undefined);
    if (!startable) return;
    let current = true;
    const used = withoutUnused(config);
    // What is wrong with the configuration is said beside the form.
    const ignored = () => {};
    const counted = lab.call('countParameters', [used, vocabSize]);
    counted.then((count) => current && setParameters(count), ignored);
    const timer = setTimeout(() => {
      const planned = lab.call('planMemory', [used, vocabSize]);
      planned.then((plan) => current && setMemory(plan), ignored);
    }, planAfter);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [config, vocabSize, startable]);
  const about = known === undefined ? 'about ' : '';
  return (
    <>
      <dl className="figures">
        <div>
          <dt>Parameters</dt>
          <dd>{parameters === undefined ? '–' : about + short(parameters)}</dd>
        </div>
        <div>
          <dt title="At the peak of a training step, planned before the start">GPU memory</dt>
          <dd>{memory?.bytes === undefined ? '–' : about + bytes(memory.bytes)}</dd>
        </div>
      </dl>
      {memory?.problem !== undefined && <p className="muted small">{memory.problem}</p>}
    </>
  );
}
