import type { ReactElement } from 'react';
import { Heat } from '../../charts/heat.js';
import type { Head, Inspection } from '../../worker/inspection.js';
import { isHead, mapOf } from './heads.js';

/** Every head of every layer, small; one is chosen to look at, any can be taken out. */
export function ModelView({
  inspection,
  chosen,
  ablated,
  onChoose,
  onAblate,
}: {
  inspection: Inspection;
  chosen: Head;
  ablated: readonly Head[];
  onChoose: (head: Head) => void;
  /** Takes a head out; undefined where none can be. */
  onAblate?: ((head: Head) => void) | undefined;
}): ReactElement {
  return (
    <div className="scroll">
      <table className="heads">
        <thead>
          <tr>
            <th scope="col">Layer</th>
            {Array.from(
              { length: Math.max(...inspection.maps.map(({ heads }) => heads)) },
              (_, head) => (
                <th key={head} scope="col">
                  Head {head}
                </th>
              ),
            )}
          </tr>
        </thead>
        <tbody>
          {inspection.maps.map(({ layer, heads }, number) => (
            <tr key={layer}>
              <th scope="row">{number}</th>
              {Array.from({ length: heads }, (_, i) => {
                const head = { layer, head: i };
                const off = isHead(ablated, head);
                const name = `layer ${number}, head ${i}`;
                return (
                  <td key={i}>
                    <div className={`head-cell ${off ? 'off' : ''}`}>
                      <button
                        type="button"
                        className="head-choice"
                        aria-pressed={isHead([chosen], head)}
                        aria-label={`Show ${name}`}
                        onClick={() => onChoose(head)}
                      >
                        <Heat
                          values={mapOf(inspection, head)}
                          columns={inspection.tokens.length}
                          label={`Attention of ${name}`}
                        />
                      </button>
                      <span className="small muted head-kind">{kindOf(inspection, head)}</span>
                      {onAblate && (
                        <button
                          type="button"
                          className="head-switch"
                          aria-pressed={off}
                          aria-label={`Ablate ${name}`}
                          onClick={() => onAblate(head)}
                        >
                          {off ? 'ablated' : 'ablate'}
                        </button>
                      )}
                    </div>
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** The kind of a head, where one of its scores is high. */
function kindOf({ scores }: Inspection, { layer, head }: Head): string {
  const found = scores.find((one) => one.layer === layer && one.head === head);
  if (found && found.previousToken >= 0.5) return 'token before';
  if (found && found.induction >= 0.5) return 'induction';
  return '\u00a0';
}
