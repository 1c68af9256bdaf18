import { type ReactElement, useEffect, useMemo, useState } from 'react';
import { knownVocabulary, withContext } from '../../data/size-of-data.js';
import { lab, notify, putRecord, useLab } from '../../lab.js';
import { packConfig } from '../../model/permalink.js';
import { presets } from '../../model/presets.js';
import { parseRunConfig, type RunConfig } from '../../model/run-config.js';
import { predictMemory } from '../../model/size.js';
import { hrefOf } from '../../route.js';
import { Button } from '../../ui/button.js';
import { SelectField, TextField } from '../../ui/fields.js';
import { Notice } from '../../ui/notice.js';
import { bytes, short } from '../../ui/numbers.js';
import { DropText } from './drop-text.js';
import { SchemaForm } from './schema-form.js';

export interface Draft {
  name: string;
  config: RunConfig;
  /** The run that it goes on from. */
  fork?: { id: string; name: string; step: number };
}

/** Starts a run from a draft, and gives its id. */
export async function startRun({ name, config, fork }: Draft): Promise<string | undefined> {
  const id = crypto.randomUUID();
  try {
    const record = fork
      ? await lab.call('forkRun', [{ from: fork.id, name, config, id }])
      : await lab.call('createRun', [{ name, config, id }]);
    putRecord(record);
    await lab.call('train', [id]);
    return id;
  } catch (error) {
    notify('bad', (error as Error).message);
    return undefined;
  }
}

/** Sets up a run: from a preset, by hand, or as a fork of another. */
export function NewRun({
  draft,
  onDraft,
  onStarted,
}: {
  draft: Draft;
  onDraft(draft: Draft): void;
  onStarted(id: string): void;
}): ReactElement {
  const { engine, runs } = useLab();
  const [starting, setStarting] = useState(false);
  const [copied, setCopied] = useState(false);
  const { config, fork } = draft;
  const problem = useMemo(() => problemOf(config), [config]);
  const presetId = presets.find((preset) => sameConfig(preset.config, config))?.id ?? 'custom';
  const change = (group: keyof RunConfig) => (key: string, value: unknown) => {
    const next = { ...config, [group]: { ...config[group], [key]: value } };
    onDraft({ ...draft, config: next as RunConfig });
  };
  useEffect(() => setCopied(false), [config]);
  const choosePreset = (id: string) => {
    const preset = presets.find((one) => one.id === id);
    if (preset) onDraft({ name: nameFor(preset.title, runs), config: preset.config });
  };
  const start = async () => {
    setStarting(true);
    const id = await startRun(draft);
    setStarting(false);
    if (id) onStarted(id);
  };
  const copyLink = async () => {
    const link = new URL(hrefOf('experiments', { c: packConfig(config) }), window.location.href);
    await navigator.clipboard.writeText(link.href);
    setCopied(true);
  };
  return (
    <section className="panel stack" aria-label="New run">
      <div className="row apart">
        <h2>{fork ? 'Fork a run' : 'New run'}</h2>
        {fork ? (
          <Button small kind="quiet" onClick={() => choosePreset(presets[0].id)}>
            Start afresh instead
          </Button>
        ) : (
          <Button small kind="quiet" icon="link" onClick={copyLink}>
            {copied ? 'Copied' : 'Copy link'}
          </Button>
        )}
      </div>
      {fork ? (
        <Notice>
          Goes on from <strong>{fork.name}</strong> at step {fork.step}. The model and its data
          stay; how it trains may change.
        </Notice>
      ) : (
        <SelectField
          label="Preset"
          hint={presets.find(({ id }) => id === presetId)?.about}
          value={presetId}
          options={[
            ...presets.map(({ id, title }) => ({ value: id, label: title })),
            ...(presetId === 'custom' ? [{ value: 'custom', label: 'Your own' }] : []),
          ]}
          onChange={choosePreset}
        />
      )}
      <TextField label="Name" value={draft.name} onChange={(name) => onDraft({ ...draft, name })} />
      {!fork && (
        <details className="group" open>
          <summary>Data</summary>
          <SchemaForm group="data" config={config} onChange={change('data')} />
          {config.data.source === 'file' && (
            <DropText chosen={config.data.file} onChosen={(file) => change('data')('file', file)} />
          )}
        </details>
      )}
      {!fork && (
        <details className="group">
          <summary>Model</summary>
          <SchemaForm group="model" config={config} onChange={change('model')} />
        </details>
      )}
      <details className="group" open={fork !== undefined}>
        <summary>Training</summary>
        <SchemaForm group="training" config={config} onChange={change('training')} />
      </details>
      <Forecast config={config} fused={engine?.backend === 'webgpu'} />
      {problem && <Notice tone="bad">{problem}</Notice>}
      <Button
        kind="primary"
        icon="play"
        disabled={problem !== undefined || starting || draft.name.trim() === ''}
        onClick={start}
      >
        {starting ? 'Preparing …' : fork ? 'Start the fork' : 'Start'}
      </Button>
    </section>
  );
}

/** What the run will take, before it starts. */
function Forecast({ config, fused }: { config: RunConfig; fused: boolean }): ReactElement {
  const [parameters, setParameters] = useState<number>();
  const known = knownVocabulary(config);
  // A text of characters rarely has more; the run itself counts them.
  const vocabSize = known ?? 100;
  useEffect(() => {
    let current = true;
    lab.call('countParameters', [config, vocabSize]).then(
      (count) => {
        if (current) setParameters(count);
      },
      () => {
        // What is wrong with the configuration is said beside the form.
        if (current) setParameters(undefined);
      },
    );
    return () => {
      current = false;
    };
  }, [config, vocabSize]);
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

function problemOf(config: RunConfig): string | undefined {
  try {
    parseRunConfig(config);
  } catch (error) {
    return (error as Error).message.replaceAll('configuration: ', '');
  }
  return config.data.source === 'file' && config.data.file === undefined
    ? 'Choose a text file to learn from.'
    : undefined;
}

function sameConfig(a: RunConfig, b: RunConfig): boolean {
  return JSON.stringify(parseSafely(a)) === JSON.stringify(parseSafely(b));
}

function parseSafely(config: RunConfig): unknown {
  try {
    return parseRunConfig(config);
  } catch {
    return config;
  }
}

/** A name that no run has yet. */
export function nameFor(title: string, runs: readonly { name: string }[]): string {
  const taken = new Set(runs.map(({ name }) => name));
  for (let number = 1; ; number++) {
    const name = number === 1 ? title : `${title} ${number}`;
    if (!taken.has(name)) return name;
  }
}
