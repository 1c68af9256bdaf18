import { useEffect, useRef, useState } from 'react';
import { lab, useLab } from '../../lab.js';
import type { Head, Inspection } from '../../worker/inspection.js';
import { keyOfSource, type ModelSource } from '../../worker/model-source.js';

/** Milliseconds between two readings of a model in training. */
const lookEvery = 1500;

/** What a model makes of a text, anew when either changes, and from time to time while it trains. */
export function useInspection(
  source: ModelSource | undefined,
  text: string,
  ablated: readonly Head[],
): { inspection: Inspection | undefined; problem: string | undefined } {
  const { runs, engine } = useLab();
  const [found, setFound] = useState<{ key: string; inspection: Inspection }>();
  const [problem, setProblem] = useState<string>();
  const key = source && keyOfSource(source);
  const run = source?.kind === 'run' ? runs.find(({ id }) => id === source.run) : undefined;
  const training = run?.status === 'running';
  const [look, setLook] = useState(0);
  const asking = useRef(0);
  useEffect(() => {
    if (!training) return;
    const timer = setInterval(() => setLook((count) => count + 1), lookEvery);
    return () => clearInterval(timer);
  }, [training, key]);
  useEffect(() => {
    if (!source || key === undefined || !engine) return;
    if (text === '') {
      setFound(undefined);
      setProblem('Write a text for the model to read.');
      return;
    }
    // A model that trains answers between its steps; questions must not pile up.
    if (look > 0 && asking.current > 0 && training) return;
    let current = true;
    const wait = setTimeout(() => {
      asking.current++;
      lab
        .call('inspect', [source, text, [...ablated]])
        .then(
          (inspection) => {
            if (!current) return;
            setFound({ key, inspection });
            setProblem(undefined);
          },
          (error: Error) => {
            if (!current) return;
            setFound(undefined);
            setProblem(error.message);
          },
        )
        .finally(() => {
          asking.current--;
        });
    }, 150);
    return () => {
      current = false;
      clearTimeout(wait);
    };
  }, [key, text, ablated, look, run?.checkpoint, engine]);
  // Of another model nothing is shown under this one's name.
  const inspection = found?.key === key ? found?.inspection : undefined;
  return { inspection, problem: source && problem };
}
