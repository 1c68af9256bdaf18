import { type ReactElement, useEffect, useMemo, useState } from 'react';
import { loadHistory, notify, useLab } from '../../lab.js';
import { unpackConfig } from '../../model/permalink.js';
import { presets } from '../../model/presets.js';
import { hrefOf, useRoute } from '../../route.js';
import type { RunRecord } from '../../store/records.js';
import { runColours } from '../../theme.js';
import { Button } from '../../ui/button.js';
import { Empty, Notice } from '../../ui/notice.js';
import { Charts } from './charts.js';
import { type Draft, NewRun, nameFor, startRun } from './new-run.js';
import { RunTable } from './run-table.js';
import { Samples } from './samples.js';

/** Runs shown beside each other at first. */
const mostAtFirst = 3;

/** Sets up runs, trains them, and compares them. */
export function ExperimentsPage(): ReactElement {
  const { runs, histories, versions, loaded } = useLab();
  const { query } = useRoute();
  const [draft, setDraft] = useState<Draft>(() => ({
    name: presets[0].title,
    config: presets[0].config,
  }));
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const colours = useMemo(() => {
    const oldestFirst = [...runs].sort((a, b) => a.createdAt - b.createdAt);
    return new Map(oldestFirst.map(({ id }, i) => [id, i % runColours]));
  }, [runs.length === 0 ? '' : runs.map(({ id }) => id).join()]);
  const shown = new Set(
    runs
      .filter(({ id }, i) => !hidden.has(id) && (i < mostAtFirst || chosen.has(id)))
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
    window.history.replaceState(null, '', hrefOf('experiments'));
  }, [link]);
  const show = (id: string, on: boolean) => {
    const flip = (set: ReadonlySet<string>, add: boolean) => {
      const next = new Set(set);
      if (add) next.add(id);
      else next.delete(id);
      return next;
    };
    setHidden(flip(hidden, !on));
    setChosen(flip(chosen, on));
  };
  const fork = (run: RunRecord) => {
    setDraft({
      name: nameFor(`${run.name}, fork`, runs),
      config: run.config,
      fork: { id: run.id, name: run.name, step: run.checkpoint! },
    });
    document.getElementById('main')?.scrollIntoView();
  };
  const started = (id: string) => {
    show(id, true);
    setDraft((last) => ({
      name: nameFor(last.name.replace(/ \d+$/, ''), [...runs, { name: last.name }]),
      config: last.config,
    }));
  };
  const failed = runs.filter(({ problem }) => problem !== undefined);
  return (
    <>
      <div className="page-head">
        <h1>Experiments</h1>
        <p>
          Set up a model, watch it learn, change one thing and compare. All of it runs in this tab.
        </p>
      </div>
      {failed.map(({ id, name, problem }) => (
        <Notice key={id} tone="bad">
          <strong>{name}:</strong> {problem}
        </Notice>
      ))}
      <div className="columns">
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

/** The first visit: something alive at one click. */
function FirstRun({ onStarted }: { onStarted(id: string): void }): ReactElement {
  const [starting, setStarting] = useState(false);
  const [{ title, config }] = presets;
  const start = async () => {
    setStarting(true);
    const id = await startRun({ name: title, config });
    setStarting(false);
    if (id) onStarted(id);
  };
  return (
    <section className="panel first-run" aria-label="First run">
      <Empty title="Watch a transformer learn">
        <p>
          A tiny model starts out guessing. Within a minute it has found out how to write letters
          backwards, and you see how: its loss falls, and its answers become right.
        </p>
        <Button kind="primary" icon="play" disabled={starting} onClick={start}>
          {starting ? 'Preparing …' : 'Start a tiny run'}
        </Button>
        <p className="small">
          Or set up your own beside this, <a href={hrefOf('attention')}>look inside</a> a model that
          has learned already, or <a href={hrefOf('playground')}>let it write</a>.
        </p>
      </Empty>
    </section>
  );
}
