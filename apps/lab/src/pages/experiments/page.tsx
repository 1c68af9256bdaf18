import { type ReactElement, useEffect, useMemo, useState } from 'react';
import { useKept } from '../../kept.js';
import { lab, loadHistory, notify, useLab } from '../../lab.js';
import { unpackConfig } from '../../model/permalink.js';
import { presets } from '../../model/presets.js';
import { hrefWith, setQuery, useRoute } from '../../route.js';
import type { RunRecord } from '../../store/records.js';
import { runColours } from '../../theme.js';
import { Button } from '../../ui/button.js';
import { Empty, Notice, Words } from '../../ui/notice.js';
import { Charts } from './charts.js';
import { type Draft, forkPoint, nameFor, readDraft, startRun } from './draft.js';
import { NewRun } from './new-run.js';
import { RunTable } from './run-table.js';
import { Samples } from './samples.js';

/** Runs shown beside each other at first. */
const mostAtFirst = 3;

/** Sets up runs, trains them, and compares them. */
export function ExperimentsPage(): ReactElement {
  const { runs, histories, versions, loaded } = useLab();
  const { query } = useRoute();
  const [draft, setDraft] = useKept<Draft>('experiments/draft', firstDraft, readDraft);
  const [hidden, setHidden] = useKept<readonly string[]>('experiments/hidden', [], readIds);
  const [chosen, setChosen] = useKept<readonly string[]>('experiments/chosen', [], readIds);
  const colours = useMemo(() => {
    const oldestFirst = [...runs].sort((a, b) => a.createdAt - b.createdAt);
    return new Map(oldestFirst.map(({ id }, i) => [id, i % runColours]));
  }, [runs.length === 0 ? '' : runs.map(({ id }) => id).join()]);
  const shown = new Set(
    runs
      .filter(({ id }, i) => !hidden.includes(id) && (i < mostAtFirst || chosen.includes(id)))
      .map(({ id }) => id),
  );
  const compared = runs.filter(({ id }) => shown.has(id));
  const wanted = compared.map(({ id }) => id).join();
  useEffect(() => {
    for (const id of wanted.split(',')) if (id !== '') void loadHistory(id);
  }, [wanted]);
  const link = query.get('c');
  useEffect(() => {
    if (link === null) return;
    try {
      const config = unpackConfig(link);
      setDraft({ name: 'From a link', config });
      notify('good', 'The configuration in the link is set up below. Start it when you like.');
    } catch (error) {
      notify('bad', (error as Error).message);
    }
    setQuery('experiments', { c: null });
  }, [link]);
  const { fork: forked } = draft;
  useEffect(() => {
    if (!forked) {
      void lab.call('releaseState', []);
      return;
    }
    // A draft that was kept over a reload holds nothing yet, and its state may be gone.
    forkPoint(forked, forked.step).then(
      (fork) => {
        if (fork?.step !== forked.step) setDraft((last) => ({ ...last, fork: fork! }));
      },
      (error: Error) => {
        notify('bad', error.message);
        setDraft(({ name, config }) => ({ name, config }));
      },
    );
  }, [forked?.id, forked?.step]);
  const show = (id: string, on: boolean) => {
    const flip = (ids: readonly string[], add: boolean) => {
      const others = ids.filter((one) => one !== id);
      return add ? [...others, id] : others;
    };
    setHidden(flip(hidden, !on));
    setChosen(flip(chosen, on));
  };
  const fork = async (run: RunRecord) => {
    const from = await forkPoint(run).catch((error: Error) => notify('bad', error.message));
    if (!from) return;
    setDraft({ name: nameFor(`${run.name}, fork`, runs), config: run.config, fork: from });
    document.getElementById('new-run')?.scrollIntoView();
  };
  const started = (id: string) => {
    show(id, true);
    setDraft((last) => ({
      name: nameFor(last.name.replace(/ \d+$/, ''), [...runs, { name: last.name }]),
      config: last.config,
    }));
  };
  const failed = runs.filter(({ problem }) => problem !== undefined);
  const interrupted = runs.filter(({ note }) => note !== undefined);
  return (
    <>
      <div className="page-head">
        <h1>Experiments</h1>
        <p>
          Configure a model, train it, change one setting and compare the runs. Everything runs in
          this tab.
        </p>
      </div>
      {failed.map(({ id, name, problem }) => (
        <Notice key={id} tone="bad">
          <Words text={`${name}: ${problem}`} />
        </Notice>
      ))}
      {interrupted.map(({ id, name, note }) => (
        <Notice key={id} tone="warn">
          <Words text={`${name}: ${note}`} />
        </Notice>
      ))}
      <div className="columns results-first">
        <NewRun draft={draft} onDraft={setDraft} onStarted={started} />
        <div className="stack">
          {loaded && runs.length === 0 ? (
            <FirstRun onStarted={started} />
          ) : (
            <>
              <Charts runs={compared} histories={histories} versions={versions} colours={colours} />
              <section className="panel" aria-label="Runs">
                <div className="panel-head">
                  <h2>Runs</h2>
                  <span className="small muted">Tick the runs to compare.</span>
                </div>
                <RunTable
                  runs={runs}
                  shown={shown}
                  colours={colours}
                  onShown={show}
                  onFork={fork}
                />
              </section>
              <Samples runs={compared} histories={histories} />
            </>
          )}
        </div>
      </div>
    </>
  );
}

function firstDraft(): Draft {
  const [{ title, config }] = presets;
  return { name: title, config };
}

function readIds(value: unknown): string[] | undefined {
  return Array.isArray(value) ? value.filter((id) => typeof id === 'string') : undefined;
}

/** The first visit: something alive at one click. */
function FirstRun({ onStarted }: { onStarted(id: string): void }): ReactElement {
  const [starting, setStarting] = useState(false);
  const [{ title, config }] = presets;
  const start = async () => {
    setStarting(true);
    try {
      onStarted(await startRun({ name: title, config }));
    } catch (error) {
      notify('bad', (error as Error).message);
    } finally {
      setStarting(false);
    }
  };
  return (
    <section className="panel first-run" aria-label="First run">
      <Empty title="Watch a transformer learn">
        <p>
          A tiny model starts with random weights. Within a minute it learns to reverse strings: its
          loss falls and its answers become correct.
        </p>
        <Button kind="primary" icon="play" disabled={starting} onClick={start}>
          {starting ? 'Preparing …' : 'Start a tiny run'}
        </Button>
        <p className="small">
          Or set up your own beside this, <a href={hrefWith('attention', {})}>look inside</a> a
          model that has learned already, or <a href={hrefWith('playground', {})}>let it write</a>.
        </p>
      </Empty>
    </section>
  );
}
