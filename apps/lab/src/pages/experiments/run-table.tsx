// biome-ignore-all lint/a11y/noRedundantRoles: rows are cards on a narrow screen, where only their roles say that they are rows
// biome-ignore-all lint/a11y/useSemanticElements: the same

import { partsFamily } from '@headwise/runs';
import { type ReactElement, useState } from 'react';
import { forgetRun, lab, notify, useLab } from '../../lab.js';
import { applies, differences, settingOf, titleOf } from '../../model/differences.js';
import { wordFor } from '../../model/words.js';
import { hrefWith } from '../../route.js';
import type { RunRecord } from '../../store/records.js';
import { Button } from '../../ui/button.js';
import { Dialog } from '../../ui/dialog.js';
import { duration, figure, short } from '../../ui/numbers.js';
import { Scroll } from '../../ui/scroll.js';
import { exportRun } from './export-run.js';

const statusWords: Record<RunRecord['status'], string> = {
  preparing: 'preparing',
  running: 'training',
  paused: 'paused',
  stopped: 'stopped',
  done: 'done',
  failed: 'failed',
};

/** Every run, what it came to, and in what the chosen ones differ. */
export function RunTable({
  runs,
  shown,
  colours,
  onShown,
  onFork,
}: {
  runs: readonly RunRecord[];
  shown: ReadonlySet<string>;
  colours: ReadonlyMap<string, number>;
  onShown(id: string, shown: boolean): void;
  onFork(run: RunRecord): void;
}): ReactElement {
  const compared = runs.filter(({ id }) => shown.has(id));
  const differing = compared.length > 1 ? differences(compared.map(({ config }) => config)) : [];
  return (
    <Scroll label="Table of runs">
      <table className="runs" role="table">
        <thead>
          <tr role="row">
            <th role="columnheader">Run</th>
            <th role="columnheader">State</th>
            <th role="columnheader" className="right">
              Step
            </th>
            <th role="columnheader" className="right">
              Loss
            </th>
            <th role="columnheader" className="right">
              Validation
            </th>
            <th role="columnheader" className="right">
              Time
            </th>
            <th role="columnheader" className="right roomy">
              Parameters
            </th>
            {differing.map((key) => (
              <th key={key.join('.')} role="columnheader">
                {titleOf(key)}
              </th>
            ))}
            <th role="columnheader">
              <span className="hidden-text">What to do</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {runs.map((run) => (
            <tr key={run.id} role="row">
              <td role="cell">
                <label className="run-choice">
                  <input
                    type="checkbox"
                    checked={shown.has(run.id)}
                    onChange={(event) => onShown(run.id, event.target.checked)}
                  />
                  <span className={`swatch c${colours.get(run.id) ?? 0}`} />
                  <span className="run-name" title={run.name}>
                    {run.name}
                  </span>
                </label>
              </td>
              <td role="cell">
                <span className={`tag ${run.status}`}>{statusWords[run.status]}</span>
              </td>
              <td role="cell" className="right num" data-label="Step">
                {run.step}
                <span className="muted"> / {run.config.training.steps}</span>
              </td>
              <td role="cell" className="right num" data-label="Loss">
                {figure(run.loss)}
              </td>
              <td role="cell" className="right num" data-label="Validation loss">
                {figure(run.validationLoss)}
              </td>
              <td role="cell" className="right num" data-label="Time">
                {duration(run.seconds)}
              </td>
              <td role="cell" className="right num roomy" data-label="Parameters">
                {run.parameters ? short(run.parameters) : '–'}
              </td>
              {differing.map((key) => (
                <td key={key.join('.')} role="cell" data-label={titleOf(key)}>
                  {shown.has(run.id) && applies(key, run.config)
                    ? wordFor(settingOf(run.config, key) ?? '–')
                    : ''}
                </td>
              ))}
              <td role="cell">
                <RunActions run={run} onFork={onFork} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

/** What can be done with a run now. */
function RunActions({
  run,
  onFork,
}: {
  run: RunRecord;
  onFork(run: RunRecord): void;
}): ReactElement {
  const [open, setOpen] = useState<'export' | 'remove'>();
  const { elsewhere } = useLab();
  const training = run.status === 'running' || run.status === 'preparing';
  const ours = training && !elsewhere.has(run.id);
  const resumes =
    run.status === 'paused' || (run.status === 'failed' && run.checkpoint !== undefined);
  const ask = (action: Promise<unknown>) =>
    action.catch((error: Error) => notify('bad', error.message));
  return (
    <span className="row end run-actions">
      {training && !ours && <span className="small muted">in another tab</span>}
      {ours && (
        <Button small icon="pause" onClick={() => ask(lab.call('endRun', [run.id, 'paused']))}>
          Pause
        </Button>
      )}
      {resumes && (
        <Button
          small
          icon="play"
          title={`Go on from step ${run.checkpoint ?? 0}`}
          onClick={() => ask(lab.call('train', [run.id]))}
        >
          Resume
        </Button>
      )}
      {ours && (
        <Button
          small
          kind="quiet"
          icon="stop"
          bare
          title="Stop for good"
          onClick={() => ask(lab.call('endRun', [run.id, 'stopped']))}
        >
          Stop
        </Button>
      )}
      {run.checkpoint !== undefined && (
        <Button small kind="quiet" icon="fork" bare title="Fork" onClick={() => onFork(run)}>
          Fork
        </Button>
      )}
      <Button
        small
        kind="quiet"
        icon="download"
        bare
        title="Export"
        onClick={() => setOpen('export')}
      >
        {`Export ${run.name}`}
      </Button>
      {!training && (
        <Button small kind="quiet" icon="bin" bare title="Remove" onClick={() => setOpen('remove')}>
          {`Remove ${run.name}`}
        </Button>
      )}
      {open === 'export' && <ExportDialog run={run} onClose={() => setOpen(undefined)} />}
      {open === 'remove' && (
        <Dialog title={`Remove ${run.name}?`} onClose={() => setOpen(undefined)}>
          <p>Its curves, its samples and its saved state are deleted from this browser.</p>
          <div className="row end">
            <Button onClick={() => setOpen(undefined)}>Keep it</Button>
            <Button kind="primary" onClick={() => ask(forgetRun(run.id))}>
              Remove
            </Button>
          </div>
        </Dialog>
      )}
    </span>
  );
}

function ExportDialog({ run, onClose }: { run: RunRecord; onClose(): void }): ReactElement {
  const family = partsFamily(run.config.model);
  const saved = run.checkpoint !== undefined;
  const take = (kind: Parameters<typeof exportRun>[1]) => {
    exportRun(run, kind).then(onClose, (error: Error) => {
      notify('bad', error.message);
      onClose();
    });
  };
  return (
    <Dialog title={`Export ${run.name}`} onClose={onClose}>
      <div className="stack tight">
        <Button icon="download" onClick={() => take('json')}>
          Everything as JSON
        </Button>
        <Button icon="download" onClick={() => take('csv')}>
          The curves as CSV
        </Button>
        <Button icon="download" onClick={() => take('run')}>
          The run’s file, for headwise train
        </Button>
        <Button icon="download" disabled={!saved} onClick={() => take('zip')}>
          The model and its training as a folder (zip)
        </Button>
        <p className="small muted">
          {!saved
            ? 'Nothing is saved yet: let the run train to its first saved state, or pause it.'
            : family === 'headwise'
              ? 'headwise generate loads the folder, headwise train --resume goes on from it. No family of Hugging Face has these parts, so its library does not load it.'
              : `The folder is a ${family === 'gpt2' ? 'GPT-2' : 'LLaMA'} in the Hugging Face layout: headwise generate and transformers load it, headwise train --resume goes on from it.`}
        </p>
        {saved && (
          <p className="small">
            <a href={hrefWith('attention', { model: `run/${run.id}` })}>Look inside</a> ·{' '}
            <a href={hrefWith('playground', { model: `run/${run.id}` })}>Write with it</a>
          </p>
        )}
      </div>
    </Dialog>
  );
}
