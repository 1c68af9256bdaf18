import { type ReactElement, useEffect, useState } from 'react';
import { Strip } from '../../charts/strip.js';
import { lab } from '../../lab.js';
import { SelectField } from '../../ui/fields.js';
import { Notice } from '../../ui/notice.js';
import { figure, percent, visible } from '../../ui/numbers.js';
import { Scroll } from '../../ui/scroll.js';
import type { Head, Inspection } from '../../worker/inspection.js';
import type { ModelSource } from '../../worker/model-source.js';
import { nameOf } from './heads.js';

/** What the worker gives of one query. */
interface Found {
  row: number;
  query: Float32Array;
  keys: Float32Array;
  products: Float32Array;
  weights: Float32Array;
}

/** Why a token looks where it looks: its query times each key, number by number. */
export function NeuronView({
  source,
  text,
  inspection,
  head,
}: {
  source: ModelSource;
  text: string;
  inspection: Inspection;
  head: Head;
}): ReactElement {
  const [found, setFound] = useState<Found>();
  const [problem, setProblem] = useState<string>();
  const [chosen, setChosen] = useState<number>();
  const { tokens } = inspection;
  const row = Math.min(chosen ?? tokens.length - 1, tokens.length - 1);
  useEffect(() => {
    let current = true;
    lab.call('neurons', [source, text, { ...head, row }]).then(
      (next) => {
        if (!current) return;
        setFound({ ...next, row });
        setProblem(undefined);
      },
      (error: Error) => {
        if (current) setProblem(error.message);
      },
    );
    return () => {
      current = false;
    };
  }, [source, text, head, inspection, row]);
  if (problem) return <Notice tone="bad">{problem}</Notice>;
  if (!found || found.weights.length !== tokens.length) {
    return <p className="muted">Computing the head …</p>;
  }
  return (
    <div className="stack">
      <div className="fields">
        <SelectField
          label="Query token"
          value={String(row)}
          options={tokens.map(({ text: words }, i) => ({
            value: String(i),
            label: `${i}: ${visible(words)}`,
          }))}
          onChange={(value) => setChosen(Number(value))}
        />
      </div>
      <p className="small muted">
        {nameOf(inspection, head)}. The query of “{visible(tokens[found.row]!.text)}” times each
        key, dimension by dimension. The sum of the products over √{found.query.length} is the
        attention score; softmax turns the scores into weights. Blue is positive, orange negative.
      </p>
      <NeuronTable found={found} tokens={tokens} />
    </div>
  );
}

function NeuronTable({
  found: { row, query, keys, products, weights },
  tokens,
}: {
  found: Found;
  tokens: Inspection['tokens'];
}): ReactElement {
  const width = query.length;
  const part = (all: Float32Array, i: number) => all.subarray(i * width, (i + 1) * width);
  const largest = (all: Float32Array) =>
    all.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const scale = Math.max(largest(query), largest(keys));
  const productScale = largest(products);
  return (
    <Scroll label="Query and keys">
      <table className="neurons">
        <thead>
          <tr>
            <th>Key token</th>
            <th>Key</th>
            <th>Query × key</th>
            <th className="right">Score</th>
            <th className="right">Weight</th>
          </tr>
        </thead>
        <tbody>
          <tr>
            <td className="muted">Query</td>
            <td>
              <Strip values={query} scale={scale} label="Query" />
            </td>
            <td />
            <td />
            <td />
          </tr>
          {tokens.map(({ id, text }, i) => {
            // A causal head gives no weight to what comes later.
            if (i > row && weights[i] === 0) return null;
            const product = part(products, i);
            const score = product.reduce((sum, value) => sum + value, 0) / Math.sqrt(width);
            return (
              <tr key={`${i}/${id}`}>
                <td className="mono">{visible(text)}</td>
                <td>
                  <Strip values={part(keys, i)} scale={scale} label={`Key of ${text}`} />
                </td>
                <td>
                  <Strip
                    values={product}
                    scale={productScale}
                    label={`Query times key of ${text}`}
                  />
                </td>
                <td className="right num">{figure(score)}</td>
                <td className="right num">{percent(weights[i]!)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </Scroll>
  );
}
