import { type ReactElement, useState } from 'react';
import { forgetRun, lab, notify } from '../../lab.js';
import { applies, differences, settingOf, titleOf } from '../../model/differences.js';
import { familyOf } from '../../model/family-of.js';
import { wordFor } from '../../model/words.js';
import { hrefOf } from '../../route.js';
import type { RunRecord } from '../../store/records.js';
import { Button } from '../../ui/button.js';
import { Dialog } from '../../ui/dialog.js';
import { duration, figure, short } from '../../ui/numbers.js';
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
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a table wider than the page is scrolled by keyboard
    <section className="scroll" aria-label="Table of runs" tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th>Run</th>
            <th>State</th>
            <th className="right">Step</th>
            <th className="right">Loss</th>
            <th className="right">Held back</th>
            <th className="right">Time</th>
            <th className="right">Parameters</th>
            {differing.map((key) => (
              <th key={key.join('.')}>{titleOf(key)}</th>
            ))}
            <th>
              <span className="hidden-text">What to do</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {runs.map((run) => (
            <tr key={run.id}>
              <td>
                <label className="row nowrap">
                  <input
                    type="checkbox"
                    checked={shown.has(run.id)}
                    onChange={(event) => onShown(run.id, event.target.checked)}
                  />
                  <span className={`swatch c${colours.get(run.id) ?? 0}`} />
                  <span className="run-name">{run.name}</span>
                </label>
              </td>
              <td>
                <span className={`tag ${run.status}`}>{statusWords[run.status]}</span>
              </td>
              <td className="right num">
                {run.step}
                <span className="muted"> / {run.config.training.steps}</span>
              </td>
              <td className="right num">{figure(run.loss)}</td>
              <td className="right num">{figure(run.validationLoss)}</td>
              <td className="right num">{duration(run.seconds)}</td>
              <td className="right num">{run.parameters ? short(run.parameters) : '–'}</td>
              {differing.map((key) => (
                <td key={key.join('.')}>
                  {shown.has(run.id) && applies(key, run.config)
                    ? wordFor(settingOf(run.config, key) ?? '–')
                    : ''}
                </td>
              ))}
              <td>
                <RunActions run={run} onFork={onFork} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
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
  const training = run.status === 'running' || run.status === 'preparing';
  const resumes =
    run.status === 'paused' || (run.status === 'failed' && run.checkpoint !== undefined);
  const ask = (action: Promise<unknown>) =>
    action.catch((error: Error) => notify('bad', error.message));
  return (
    <span className="row end nowrap">
      {training && (
        <Button small icon="pause" onClick={() => ask(lab.call('endRun', [run.id, 'paused']))}>
          Pause
        </Button>
      )}
      {resumes && (
        <Button small icon="play" onClick={() => ask(lab.call('train', [run.id]))}>
          Resume
        </Button>
      )}
      {training && (
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
  const family = familyOf(run.config.model);
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
        <Button icon="download" disabled={!saved} onClick={() => take('zip')}>
          The model as a folder (zip)
        </Button>
        <p className="small muted">
          {!saved
            ? 'Nothing is saved yet: let the run train to its first saved state, or pause it.'
            : family === 'headwise'
              ? 'headwise generate loads the folder. No family of Hugging Face has these parts, so its library does not.'
              : `The folder is a ${family === 'gpt2' ? 'GPT-2' : 'LLaMA'} in the Hugging Face layout: headwise generate and transformers load it.`}
        </p>
        {saved && (
          <p className="small">
            <a href={hrefOf('attention', { run: run.id })}>Look inside</a> ·{' '}
            <a href={hrefOf('playground', { run: run.id })}>Write with it</a>
          </p>
        )}
      </div>
    </Dialog>
  );
}
