import { type Check, worstChecks } from '@headwise/parity';
import type { ReactElement } from 'react';
import { figure } from '../../ui/numbers.js';
import { Scroll } from '../../ui/scroll.js';
import type { BenchmarkLine } from '../../worker/benchmarks.js';
import type { EngineReport } from '../../worker/engine.js';

/** One row per operation and kind of tensor: the check that is farthest from its reference. */
export function Receipt({ checks }: { checks: readonly Check[] }): ReactElement {
  return (
    <Scroll label="Receipt">
      <table>
        <thead>
          <tr>
            <th>Operation</th>
            <th>Tensor</th>
            <th className="right">Relative error (RMS)</th>
            <th className="right">Bound</th>
            <th>Within</th>
          </tr>
        </thead>
        <tbody>
          {worstChecks(checks).map(({ worst: { subject, part, rmsRatio, zero, bound, ok } }) => (
            <tr key={`${subject} ${part}`}>
              <td>{subject}</td>
              <td>{part}</td>
              <td className="right num">{zero ? 'zero' : rmsRatio.toExponential(1)}</td>
              <td className="right num">{bound.toExponential(0)}</td>
              <td className={ok ? 'better' : 'worse'}>{ok ? 'yes' : 'no'}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

export function Benchmarks({ lines }: { lines: readonly BenchmarkLine[] }): ReactElement {
  return (
    <Scroll label="Times">
      <table>
        <thead>
          <tr>
            <th>Operation</th>
            <th className="wide-only">Sizes</th>
            <th className="right">Ours, ms</th>
            <th className="right">Stock, ms</th>
            <th className="right">Gflop/s</th>
          </tr>
        </thead>
        <tbody>
          {lines.map(({ operation, sizes, ours, stock, gflops }) => (
            <tr key={operation}>
              <td>{operation}</td>
              <td className="mono wide-only">{sizes}</td>
              <td className="right num">{ours.toFixed(2)}</td>
              <td className="right num">
                {stock === undefined ? 'the same operations' : stock.toFixed(2)}
              </td>
              <td className="right num">{gflops === undefined ? '–' : figure(gflops)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

/** Which program was chosen for each pass and range of sizes. */
export function Variants({ choices }: { choices: Readonly<Record<string, string>> }): ReactElement {
  return (
    <Scroll label="Variants">
      <table>
        <thead>
          <tr>
            <th>Pass and sizes</th>
            <th>Program</th>
          </tr>
        </thead>
        <tbody>
          {Object.entries(choices).map(([key, program]) => (
            <tr key={key}>
              <td className="mono">{key}</td>
              <td className="mono">{program}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

export function Limits({ engine }: { engine: EngineReport }): ReactElement | null {
  const limits = Object.entries(engine.limits);
  if (limits.length === 0) return null;
  return (
    <details className="panel">
      <summary>Features and limits</summary>
      <p className="small mono features">{engine.features.join(' · ')}</p>
      <Scroll label="Limits">
        <table>
          <tbody>
            {limits.map(([name, value]) => (
              <tr key={name}>
                <td className="mono">{name}</td>
                <td className="right num">{value.toLocaleString('en')}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </details>
  );
}
