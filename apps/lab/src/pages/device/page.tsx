import type { Check } from '@headwise/parity';
import { type ReactElement, useState } from 'react';
import { download } from '../../download.js';
import { keep, kept } from '../../kept.js';
import { chooseBackend, lab, notify, preferredBackend, useLab } from '../../lab.js';
import { Button } from '../../ui/button.js';
import { SelectField } from '../../ui/fields.js';
import { Notice } from '../../ui/notice.js';
import type { BenchmarkLine } from '../../worker/benchmarks.js';
import type { EngineReport } from '../../worker/engine.js';
import { Benchmarks, Limits, Receipt, Variants } from './tables.js';

const works = ['benchmark', 'receipt', 'variants'] as const;
type Work = (typeof works)[number];

type Chosen = NonNullable<ReturnType<typeof preferredBackend>> | 'best';

const keyOf = (name: Work) => `device/${name}`;

/** What was found out in this tab on the backend that runs. */
function results<T>(name: Work): T | undefined {
  return kept(keyOf(name)) as T | undefined;
}

/** Choices of an earlier visit; undefined where there are none. */
function known(tilings: Record<string, string> = {}): Record<string, string> | undefined {
  return Object.keys(tilings).length > 0 ? tilings : undefined;
}

/** The visitor's adapter, its limits, its speed and its numerical parity. */
export function DevicePage(): ReactElement {
  const { engine, runs } = useLab();
  const [preference, setPreference] = useState<Chosen>(preferredBackend() ?? 'best');
  const [busy, setBusy] = useState<Work>();
  const [receipt, setReceipt] = useState(() => results<Check[]>('receipt'));
  const [benchmarks, setBenchmarks] = useState(() => results<BenchmarkLine[]>('benchmark'));
  const [chosen, setChosen] = useState(() => results<Record<string, string>>('variants'));
  const variants = chosen ?? known(engine?.tilings);
  const training = runs.some(({ status }) => status === 'running');
  const work = async (name: Work, run: () => Promise<void>) => {
    setBusy(name);
    try {
      await run();
    } catch (error) {
      notify('bad', (error as Error).message);
    } finally {
      setBusy(undefined);
    }
  };
  const runReceipt = () =>
    work('receipt', async () => {
      const checks: Check[] = [];
      setReceipt([]);
      await lab.call('receipt', [], {
        onProgress: (check: Check) => {
          checks.push(check);
          setReceipt([...checks]);
        },
      });
      keep(keyOf('receipt'), checks);
    });
  const runBenchmarks = () =>
    work('benchmark', async () => {
      const lines: BenchmarkLine[] = [];
      setBenchmarks([]);
      await lab.call('benchmark', [], {
        onProgress: (line: BenchmarkLine) => {
          lines.push(line);
          setBenchmarks([...lines]);
        },
      });
      keep(keyOf('benchmark'), lines);
    });
  const runVariants = () =>
    work('variants', async () => {
      const choices = await lab.call('variants', []);
      setChosen(choices);
      keep(keyOf('variants'), choices);
    });
  const save = () =>
    download(
      'headwise-device.json',
      `${JSON.stringify({ browser: navigator.userAgent, engine, receipt, benchmarks, variants }, null, 2)}\n`,
    );
  const choose = async (value: Chosen) => {
    const start = (name: Chosen) => chooseBackend(name === 'best' ? undefined : name);
    setPreference(value);
    try {
      await start(value);
      for (const name of works) keep(keyOf(name), undefined);
      setReceipt(undefined);
      setBenchmarks(undefined);
      setChosen(undefined);
    } catch (error) {
      // What cannot be started is not what is shown: the lab goes back to what it computed on.
      notify('bad', (error as Error).message);
      setPreference(preference);
      await start(preference).catch(() => {});
    }
  };
  return (
    <>
      <div className="page-head">
        <h1>Device</h1>
        <p>The adapter and its limits, its numerical parity with references, and its speed.</p>
      </div>
      <div className="columns">
        <div className="stack">
          <section className="panel stack" aria-label="Adapter">
            {engine ? <Adapter engine={engine} /> : <p className="muted">Starting …</p>}
            <SelectField
              label="Backend"
              hint={training ? 'Pause the runs that train to change this.' : undefined}
              value={preference}
              disabled={training}
              options={[
                { value: 'best', label: 'The fastest there is' },
                { value: 'webgpu', label: 'WebGPU' },
                { value: 'wasm', label: 'wasm, on the processor' },
                { value: 'cpu', label: 'Plain JavaScript, slow' },
              ]}
              onChange={choose}
            />
          </section>
          {engine?.backend === 'webgpu' && (
            <section className="panel stack" aria-label="Loss of the device">
              <h2>Simulate a device loss</h2>
              <p className="small muted">
                Drivers crash and laptops sleep. This destroys the GPU device: runs that train go on
                from their last saved state, and models are loaded again.
              </p>
              <Button onClick={() => void lab.call('loseDevice', [])}>Lose the device</Button>
            </section>
          )}
        </div>
        <div className="stack">
          <section className="panel stack" aria-label="Parity receipt">
            <div className="row apart">
              <h2>Numerical parity</h2>
              <span className="row">
                {(receipt || benchmarks || variants) && busy === undefined && (
                  <Button small kind="quiet" icon="download" onClick={save}>
                    Everything as JSON
                  </Button>
                )}
                <Button disabled={!engine || busy !== undefined} onClick={runReceipt}>
                  {busy === 'receipt' ? 'Checking …' : 'Run the receipt'}
                </Button>
              </span>
            </div>
            <p className="small muted">
              Runs the operations of a model and their gradients here and compares them with
              float64; compares the logits of a small GPT-2 with Hugging Face transformers.
            </p>
            {receipt && receipt.length > 0 && <Receipt checks={receipt} />}
            {receipt && busy !== 'receipt' && <Verdict checks={receipt} />}
          </section>
          <section className="panel stack" aria-label="Benchmarks">
            <div className="row apart">
              <h2>Speed</h2>
              <Button disabled={!engine || busy !== undefined} onClick={runBenchmarks}>
                {busy === 'benchmark' ? 'Measuring …' : 'Measure'}
              </Button>
            </div>
            <p className="small muted">
              Medians of seven rounds, ours and TensorFlow.js's own operations in turn.
            </p>
            {benchmarks && benchmarks.length > 0 && <Benchmarks lines={benchmarks} />}
          </section>
          {engine?.backend === 'webgpu' && (
            <section className="panel stack" aria-label="Kernel variants">
              <div className="row apart">
                <h2>Attention kernels</h2>
                <Button disabled={busy !== undefined} onClick={runVariants}>
                  {busy === 'variants' ? 'Choosing …' : 'Choose the fastest'}
                </Button>
              </div>
              <p className="small muted">
                Attention has several programs; which is fastest depends on the device and the
                sizes. This measures them for the models of the presets, now and for later visits.
              </p>
              {variants && <Variants choices={variants} />}
            </section>
          )}
          {engine && <Limits engine={engine} />}
        </div>
      </div>
    </>
  );
}

const backendWords: Record<EngineReport['backend'], string> = {
  webgpu: 'WebGPU',
  wasm: 'wasm, on the processor',
  cpu: 'Plain JavaScript',
};

function Adapter({ engine }: { engine: EngineReport }): ReactElement {
  return (
    <dl className="facts">
      <dt>Backend</dt>
      <dd>{backendWords[engine.backend]}</dd>
      {engine.adapter !== null && (
        <>
          <dt>Adapter</dt>
          <dd>{engine.adapter}</dd>
        </>
      )}
      {engine.vendor && (
        <>
          <dt>Vendor</dt>
          <dd>{engine.vendor}</dd>
        </>
      )}
      <dt>Kind</dt>
      <dd>{engine.software ? 'Software, on the processor' : 'Graphics hardware'}</dd>
      {engine.backend === 'wasm' && (
        <>
          <dt>Threads</dt>
          <dd>{engine.threads}</dd>
        </>
      )}
    </dl>
  );
}

function Verdict({ checks }: { checks: readonly Check[] }): ReactElement {
  const wrong = checks.filter(({ ok }) => !ok).length;
  return wrong === 0 ? (
    <Notice tone="good">
      All {checks.length} comparisons are within their bounds on this machine.
    </Notice>
  ) : (
    <Notice tone="bad">
      {wrong} of {checks.length} comparisons are outside their bounds. Download the receipt and
      report it; a driver may be at fault.
    </Notice>
  );
}
