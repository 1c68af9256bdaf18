import { GrowingSeries, type Series } from '../../charts/series.js';
import type { RunNews, StepPoint } from '../../store/records.js';

export type Clock = 'step' | 'seconds';

/** How the curves of a history are drawn, and what of them is made already. */
interface Made {
  strength: number;
  series: GrowingSeries<StepPoint>;
}

/** A history that goes on grows in place; one that is cut is another object. */
const made = new WeakMap<RunNews, Map<string, Made>>();

/** The curve of one measure of a run: at each report only what is new is computed. */
export function curveOf(
  history: RunNews,
  key: keyof StepPoint,
  { clock, strength, scale = 1 }: { clock: Clock; strength: number; scale?: number },
): Series {
  const curves = made.get(history) ?? new Map<string, Made>();
  made.set(history, curves);
  const name = `${key}/${clock}`;
  let curve = curves.get(name);
  if (curve?.strength !== strength) {
    const place = ({ step, seconds }: StepPoint) => (clock === 'step' ? step + 1 : seconds);
    const series = new GrowingSeries(place, (point: StepPoint) => scale * point[key], strength);
    curve = { strength, series };
    curves.set(name, curve);
  }
  return curve.series.upTo(history.points);
}
