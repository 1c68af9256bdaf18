import { type ReactElement, useEffect, useState } from 'react';
import { lab } from '../../lab.js';
import { Notice } from '../../ui/notice.js';
import { percent, visible } from '../../ui/numbers.js';
import { Scroll } from '../../ui/scroll.js';
import type { Inspection, Lens } from '../../worker/inspection.js';
import type { ModelSource } from '../../worker/model-source.js';

/** What the model would say next after each of its layers, were the later ones left out. */
export function LensView({
  source,
  text,
  inspection,
  title,
}: {
  source: ModelSource;
  text: string;
  inspection: Inspection;
  title: string;
}): ReactElement {
  const [lens, setLens] = useState<Lens>();
  const [problem, setProblem] = useState<string>();
  useEffect(() => {
    let current = true;
    lab.call('lens', [source, text]).then(
      (found) => {
        if (!current) return;
        setLens(found);
        setProblem(undefined);
      },
      (error: Error) => {
        if (current) setProblem(error.message);
      },
    );
    return () => {
      current = false;
    };
  }, [source, text, inspection]);
  if (problem) return <Notice tone="bad">{problem}</Notice>;
  if (!lens) return <p className="muted">Computing the logit lens …</p>;
  const shade = (probability: number) =>
    [0.02, 0.1, 0.3, 0.7].filter((limit) => probability >= limit).length;
  return (
    <div className="stack tight">
      <p className="small muted">
        The residual stream after each layer, decoded by the model's own output head: its most
        likely next token after each token. Stronger colours are higher probabilities.
      </p>
      <Scroll label={`Most likely next token by layer, ${title}`}>
        <table className="lens">
          <thead>
            <tr>
              <th scope="col">After</th>
              {lens.tokens.map(({ id, text: words }, i) => (
                <th key={`${i}/${id}`} scope="col" className="mono">
                  {visible(words)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {lens.layers.map(({ name, best }, i) => (
              <tr key={name}>
                <th scope="row">{i === 0 ? 'embedding' : `layer ${i - 1}`}</th>
                {best.map(({ text: words, probability }, t) => (
                  <td
                    key={t}
                    className={`mono sure-${shade(probability)}`}
                    title={percent(probability)}
                  >
                    {visible(words)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </div>
  );
}
