import { type ReactElement, useEffect, useState } from 'react';
import { knownVocabulary, withContext } from '../../data/size-of-data.js';
import { lab } from '../../lab.js';
import type { RunConfig } from '../../model/run-config.js';
import { withoutUnused } from '../../model/settings.js';
import { predictMemory } from '../../model/size.js';
import { bytes, short } from '../../ui/numbers.js';

/** What the run will take, before it starts; nothing where it cannot. */
export function Forecast({
  config,
  fused,
  startable,
}: {
  config: RunConfig;
  fused: boolean;
  startable: boolean;
}): ReactElement {
  const [parameters, setParameters] = useState<number>();
  const known = knownVocabulary(config);
  // A text of characters rarely has more; the run itself counts them.
  const vocabSize = known ?? 100;
  useEffect(() => {
    setParameters(undefined);
    if (!startable) return;
    let current = true;
    lab.call('countParameters', [withoutUnused(config), vocabSize]).then(
      (count) => {
        if (current) setParameters(count);
      },
      () => {
        // What is wrong with the configuration is said beside the form.
      },
    );
    return () => {
      current = false;
    };
  }, [config, vocabSize, startable]);
  const about = known === undefined ? 'about ' : '';
  const usesFused = fused && config.model.dropout === 0;
  const memory =
    parameters === undefined
      ? undefined
      : predictMemory(withContext(config), { vocabSize, parameters }, { fused: usesFused });
  return (
    <dl className="figures">
      <div>
        <dt>Parameters</dt>
        <dd>{parameters === undefined ? '–' : about + short(parameters)}</dd>
      </div>
      <div>
        <dt>Memory, predicted</dt>
        <dd>{memory === undefined ? '–' : about + bytes(memory)}</dd>
      </div>
    </dl>
  );
}
