import { type ReactElement, useEffect, useState } from 'react';
import { Strip } from '../../charts/strip.js';
import { lab } from '../../lab.js';
import { SelectField } from '../../ui/fields.js';
import { Notice } from '../../ui/notice.js';
import { figure, percent, visible } from '../../ui/numbers.js';
import type { Head, HeadVectors, Inspection } from '../../worker/inspection.js';
import type { ModelSource } from '../../worker/model-source.js';
import { mapOf, nameOf } from './heads.js';

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
  const [vectors, setVectors] = useState<HeadVectors>();
  const [problem, setProblem] = useState<string>();
  const [chosen, setChosen] = useState<number>();
  const { tokens } = inspection;
  const from = Math.min(chosen ?? tokens.length - 1, tokens.length - 1);
  useEffect(() => {
    let current = true;
    lab.call('headVectors', [source, text, head]).then(
      (found) => {
        if (current) setVectors(found);
      },
      (error: Error) => {
        if (current) setProblem(error.message);
      },
    );
    return () => {
      current = false;
    };
  }, [source, text, head, inspection]);
  if (problem) return <Notice tone="bad">{problem}</Notice>;
  if (!vectors || vectors.q.length !== tokens.length * vectors.width) {
    return <p className="muted">Reading the head …</p>;
  }
  const { q, k, width } = vectors;
  const weights = mapOf(inspection, head).subarray(from * tokens.length);
  const query = q.subarray(from * width, (from + 1) * width);
  const scale = Math.max(...[...q, ...k].map(Math.abs));
  const rows = tokens
    .map((token, i) => {
      const key = k.subarray(i * width, (i + 1) * width);
      const product = query.map((value, d) => value * key[d]!);
      const score = product.reduce((sum, value) => sum + value, 0) / Math.sqrt(width);
      return { token, i, key, product, score, weight: weights[i]! };
    })
    // A causal head has no weight behind the token.
    .filter(({ i, weight }) => i <= from || weight > 0);
  const productScale = Math.max(...rows.flatMap(({ product }) => [...product.map(Math.abs)]));
  return (
    <div className="stack">
      <div className="fields">
        <SelectField
          label="Token that looks"
          value={String(from)}
          options={tokens.map(({ text: words }, i) => ({
            value: String(i),
            label: `${i}: ${visible(words)}`,
          }))}
          onChange={(value) => setChosen(Number(value))}
        />
      </div>
      <p className="small muted">
        {nameOf(inspection, head)}. The query of {visible(tokens[from]!.text)} is multiplied with each
        key, number by number; their sum over √{width} is the score, and the scores become weights.
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a table wider than the page is scrolled by keyboard */}
      <section className="scroll neuron-scroll" aria-label="Query and keys" tabIndex={0}>
        <table className="neurons">
          <thead>
            <tr>
              <th>Looked at</th>
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
                <Strip values={query} scale={scale} />
              </td>
              <td />
              <td />
              <td />
            </tr>
            {rows.map(({ token, i, key, product, score, weight }) => (
              <tr key={i}>
                <td className="mono">{visible(token.text)}</td>
                <td>
                  <Strip values={key} scale={scale} />
                </td>
                <td>
                  <Strip values={product} scale={productScale} />
                </td>
                <td className="right num">{figure(score)}</td>
                <td className="right num">{percent(weight)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <p className="small muted">Blue: above zero. Orange: below.</p>
    </div>
  );
}
