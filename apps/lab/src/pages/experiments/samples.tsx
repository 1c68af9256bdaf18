import { type ReactElement, useState } from 'react';
import type { RunNews, RunRecord } from '../../store/records.js';
import { SelectField } from '../../ui/fields.js';

/** What the runs write, step by step. */
export function Samples({
  runs,
  histories,
}: {
  runs: readonly RunRecord[];
  histories: ReadonlyMap<string, RunNews>;
}): ReactElement | null {
  const written = runs.filter(({ id }) => (histories.get(id)?.samples.length ?? 0) > 0);
  if (written.length === 0) return null;
  return (
    <section className="panel stack" aria-label="Samples">
      <h2>Samples</h2>
      <div className="halves">
        {written.map((run) => (
          <SamplesOfRun key={run.id} run={run} history={histories.get(run.id)!} />
        ))}
      </div>
    </section>
  );
}

function SamplesOfRun({ run, history }: { run: RunRecord; history: RunNews }): ReactElement {
  const [chosen, setChosen] = useState('latest');
  const steps = [...new Set(history.samples.map(({ step }) => step))].reverse();
  const step = chosen === 'latest' ? steps[0] : Number(chosen);
  return (
    <article className="stack tight">
      <SelectField
        label={run.name}
        value={chosen}
        options={[
          { value: 'latest', label: `Newest: step ${steps[0]}` },
          ...steps.slice(1).map((one) => ({ value: String(one), label: `Step ${one}` })),
        ]}
        onChange={setChosen}
      />
      {history.samples
        .filter((sample) => sample.step === step)
        .map(({ prompt, text, temperature, expected }) => (
          <p
            key={`${prompt}/${temperature}`}
            className="sample mono"
            title={expected === undefined ? `Temperature ${temperature}` : undefined}
          >
            <span className="muted">{prompt}</span>
            {expected === undefined ? text : <Answer text={text} expected={expected} />}
          </p>
        ))}
    </article>
  );
}

/** An answer with its mistakes marked, and the right one where there are any. */
function Answer({ text, expected }: { text: string; expected: string }): ReactElement {
  const right = text === expected;
  return (
    <>
      {[...text].map((char, i) => (
        <span key={i} className={char === expected[i] ? 'right-char' : 'wrong-char'}>
          {char}
        </span>
      ))}
      <span className="muted small"> {right ? '✓ right' : `should be ${expected}`}</span>
    </>
  );
}
