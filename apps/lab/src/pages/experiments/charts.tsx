import { type ReactElement, useMemo, useRef } from 'react';
import { type Line, LineChart } from '../../charts/line-chart.js';
import { download } from '../../download.js';
import { useKept } from '../../kept.js';
import type { RunNews, RunRecord, StepPoint } from '../../store/records.js';
import { Button } from '../../ui/button.js';
import { Choice } from '../../ui/choice.js';
import { SliderField, SwitchField } from '../../ui/fields.js';
import { type Clock, curveOf } from './curves.js';

const measures = [
  { key: 'tokensPerSecond', title: 'Speed', unit: 'tokens a second' },
  { key: 'gradientNorm', title: 'Gradient norm', unit: 'before clipping' },
  { key: 'learningRate', title: 'Learning rate', unit: '' },
  { key: 'memory', title: 'Memory', unit: 'MB held between steps' },
] as const satisfies { key: keyof StepPoint; title: string; unit: string }[];

/** The curves of the chosen runs, over each other and on one clock. */
export function Charts({
  runs,
  histories,
  versions,
  colours,
}: {
  runs: readonly RunRecord[];
  histories: ReadonlyMap<string, RunNews>;
  versions: ReadonlyMap<string, number>;
  colours: ReadonlyMap<string, number>;
}): ReactElement {
  const [clock, setClock] = useKept<Clock>('experiments/clock', 'step', (value) =>
    value === 'seconds' ? value : undefined,
  );
  const [log, setLog] = useKept('experiments/log', false, (value) => value === true);
  const [strength, setStrength] = useKept('experiments/smoothing', 0.6, (value) =>
    typeof value === 'number' && value >= 0 && value <= 0.98 ? value : undefined,
  );
  const picture = useRef<() => Promise<Blob | undefined>>(undefined);
  const version = runs.map(({ id, name }) => `${name}${versions.get(id)}`).join();
  const lines = useMemo(
    () => linesOf(runs, histories, colours, clock, strength),
    [version, clock, strength, colours],
  );
  const xTitle = clock === 'step' ? 'step' : 'second';
  const save = async () => {
    const blob = await picture.current?.();
    if (blob) download('loss.png', blob);
  };
  return (
    <section className="panel stack" aria-label="Curves">
      <div className="row apart">
        <Choice
          label="Horizontal axis"
          value={clock}
          options={[
            { value: 'step', label: 'By step' },
            { value: 'seconds', label: 'By time' },
          ]}
          onChange={(next) => setClock(next)}
        />
        <div className="row chart-settings">
          <SliderField
            label="Smoothing"
            value={strength}
            shown={strength === 0 ? 'off' : strength.toFixed(2)}
            min={0}
            max={0.98}
            step={0.02}
            onChange={setStrength}
          />
          <SwitchField label="Log scale" checked={log} onChange={setLog} />
          <Button small kind="quiet" icon="download" onClick={save}>
            PNG
          </Button>
        </div>
      </div>
      <LineChart
        title="Loss"
        unit="nats a token; dashed: validation loss"
        xTitle={xTitle}
        lines={lines.loss}
        log={log}
        height={280}
        onPicture={(make) => {
          picture.current = make;
        }}
      />
      <div className="small-charts">
        {measuredOf(runs, histories).map(({ key, title, unit }) => (
          <LineChart
            key={key}
            title={title}
            unit={unit}
            xTitle={xTitle}
            lines={lines[key]}
            height={120}
          />
        ))}
      </div>
    </section>
  );
}

/** The measures without those that no run has, such as the memory of runs of another machine. */
function measuredOf(runs: readonly RunRecord[], histories: ReadonlyMap<string, RunNews>) {
  const last = runs.flatMap(({ id }) => histories.get(id)?.points.at(-1) ?? []);
  return measures.filter(
    ({ key }) => last.length === 0 || last.some((one) => !Number.isNaN(one[key])),
  );
}

type Lines = Record<'loss' | (typeof measures)[number]['key'], Line[]>;

function linesOf(
  runs: readonly RunRecord[],
  histories: ReadonlyMap<string, RunNews>,
  colours: ReadonlyMap<string, number>,
  clock: Clock,
  strength: number,
): Lines {
  const lines: Lines = {
    loss: [],
    tokensPerSecond: [],
    gradientNorm: [],
    learningRate: [],
    memory: [],
  };
  for (const run of runs) {
    const history = histories.get(run.id);
    if (!history) continue;
    const common = { name: run.name, colour: colours.get(run.id) ?? 0 };
    const curve = (key: keyof StepPoint, smoothing = 0, scale = 1) => ({
      ...common,
      ...curveOf(history, key, { clock, strength: smoothing, scale }),
    });
    lines.loss.push(curve('loss', strength));
    lines.loss.push({
      ...common,
      name: `${run.name}, validation`,
      dashed: true,
      x: history.validations.map((point) => point[clock]),
      y: history.validations.map(({ loss }) => loss),
    });
    lines.tokensPerSecond.push(curve('tokensPerSecond', strength));
    lines.gradientNorm.push(curve('gradientNorm', strength));
    lines.learningRate.push(curve('learningRate'));
    lines.memory.push(curve('memory', 0, 1e-6));
  }
  return lines;
}
