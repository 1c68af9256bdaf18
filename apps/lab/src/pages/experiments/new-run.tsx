import { isSweepFile } from '@headwise/runs';
import { type ReactElement, useEffect, useMemo, useState } from 'react';
import { useLab } from '../../lab.js';
import { packConfig } from '../../model/permalink.js';
import { presets } from '../../model/presets.js';
import { parseRunConfig, type RunConfig } from '../../model/run-config.js';
import { configOfRunFile } from '../../model/run-file.js';
import { type ConfigProblem, usedUnshown, withoutUnused } from '../../model/settings.js';
import { hrefOf } from '../../route.js';
import { Button } from '../../ui/button.js';
import { SelectField, TextField } from '../../ui/fields.js';
import { FileDrop } from '../../ui/file-drop.js';
import { Notice } from '../../ui/notice.js';
import { type Draft, draftProblems, importRun, importSweep, nameFor, startRun } from './draft.js';
import { DropText } from './drop-text.js';
import { Forecast } from './forecast.js';
import { SchemaForm } from './schema-form.js';

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
  const { runs } = useLab();
  const [starting, setStarting] = useState(false);
  const [copied, setCopied] = useState(false);
  const [refusal, setRefusal] = useState<string>();
  const { config, fork } = draft;
  const problems = useMemo(() => draftProblems(draft), [draft]);
  const presetId = useMemo(() => presetOf(config), [config]);
  const change = (group: keyof RunConfig) => (key: string, value: unknown) => {
    const next = { ...config, [group]: { ...config[group], [key]: value } };
    onDraft({ ...draft, config: next as RunConfig });
  };
  useEffect(() => {
    setCopied(false);
    setRefusal(undefined);
  }, [config]);
  const choosePreset = (id: string) => {
    const preset = presets.find((one) => one.id === id);
    if (preset) onDraft({ name: nameFor(preset.title, runs), config: preset.config });
  };
  const start = async () => {
    setStarting(true);
    setRefusal(undefined);
    try {
      onStarted(await startRun(draft));
    } catch (error) {
      setRefusal((error as Error).message);
    } finally {
      setStarting(false);
    }
  };
  const openFile = async ([file]: File[]) => {
    if (!file) return;
    setRefusal(undefined);
    try {
      const json: unknown = JSON.parse(await file.text());
      if (isSweepFile(json)) {
        const last = await importSweep(nameFor(file.name.replace(/\.json$/, ''), runs), json);
        if (last === undefined) throw new Error(`${file.name}: no trial of the sweep has begun`);
        onStarted(last);
        return;
      }
      const opened = configOfRunFile(json, file.name);
      onDraft({ name: nameFor(file.name.replace(/(\.run)?\.json$/, ''), runs), config: opened });
    } catch (error) {
      setRefusal((error as Error).message);
    }
  };
  const openFolder = async (files: File[], paths: string[]) => {
    setRefusal(undefined);
    const folder = files[0]?.webkitRelativePath.split('/')[0];
    try {
      onStarted(await importRun(nameFor(folder || 'A run of a folder', runs), files, paths));
    } catch (error) {
      setRefusal((error as Error).message);
    }
  };
  const copyLink = async () => {
    const packed = packConfig(parseRunConfig(withoutUnused(config)));
    const link = new URL(hrefOf('experiments', { c: packed }), window.location.href);
    try {
      await navigator.clipboard.writeText(link.href);
      setCopied(true);
    } catch {
      setRefusal(`The browser does not let the lab copy. The link is ${link.href}`);
    }
  };
  const startable = problems.length === 0;
  const form = { config, problems };
  return (
    <section id="new-run" className="panel stack" aria-label="New run">
      <div className="row apart">
        <h2>{fork ? 'Fork a run' : 'New run'}</h2>
        {fork ? (
          <Button small kind="quiet" onClick={() => choosePreset(presets[0].id)}>
            Start afresh instead
          </Button>
        ) : (
          <Button small kind="quiet" icon="link" disabled={!startable} onClick={copyLink}>
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
      <TextField
        label="Name"
        value={draft.name}
        problem={draft.name.trim() === '' ? 'Give it a name.' : undefined}
        onChange={(name) => onDraft({ ...draft, name })}
      />
      <Forecast config={config} startable={startable} />
      <div className="stack tight">
        {!startable && <Notice tone="bad">{inWords(problems)}</Notice>}
        {refusal && (
          <Notice tone="bad" onClose={() => setRefusal(undefined)}>
            {refusal}
          </Notice>
        )}
        <Button
          kind="primary"
          icon="play"
          disabled={!startable || starting || draft.name.trim() === ''}
          onClick={start}
        >
          {starting ? 'Preparing …' : fork ? 'Start the fork' : 'Start'}
        </Button>
      </div>
      {!fork && (
        <details className="group" open>
          <summary>Data</summary>
          <SchemaForm group="data" {...form} onChange={change('data')} />
          <UnshownKeys config={config} />
          {config.data.source === 'file' && (
            <DropText chosen={config.data.file} onChosen={(file) => change('data')('file', file)} />
          )}
        </details>
      )}
      {!fork && (
        <details className="group">
          <summary>Model</summary>
          <SchemaForm group="model" {...form} onChange={change('model')} />
        </details>
      )}
      <details className="group" open={fork !== undefined}>
        <summary>Training</summary>
        <SchemaForm group="training" {...form} onChange={change('training')} />
      </details>
      {!fork && (
        <details className="group">
          <summary>From a file</summary>
          <FileDrop
            label="Open a run’s file, as headwise train takes it, or a sweep.json"
            onFiles={openFile}
          />
          <FileDrop
            label="Go on with a run’s folder, as headwise train writes it"
            folder
            onFiles={openFolder}
          />
        </details>
      )}
    </section>
  );
}

/** What the run's file says that the form has no field for. */
function UnshownKeys({ config }: { config: RunConfig }): ReactElement | null {
  const unshown = usedUnshown(config);
  if (Object.keys(unshown).length === 0) return null;
  return (
    <p className="small muted">
      Also from the run’s file:{' '}
      {Object.entries(unshown)
        .map(([key, value]) => `${key} ${unshownWord(key, value)}`)
        .join('; ')}
    </p>
  );
}

function unshownWord(key: string, value: unknown): string {
  if (value === null) return key === 'samples' ? 'none' : 'all';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** What has to be corrected: a field says itself what is wrong with it. */
function inWords(problems: readonly ConfigProblem[]): string {
  const fields = problems.flatMap(({ title }) => title ?? []);
  if (fields.length > 0) return `To start, correct: ${fields.join(', ')}.`;
  return problems.map(({ message }) => message).join('\n');
}

/** The preset that a form shows; `custom` where it shows none. */
function presetOf(config: RunConfig): string {
  const shown = JSON.stringify(withoutUnused(config));
  const same = ({ config: other }: { config: RunConfig }) =>
    JSON.stringify(withoutUnused(other)) === shown;
  return presets.find(same)?.id ?? 'custom';
}
