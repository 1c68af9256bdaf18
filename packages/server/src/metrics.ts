type Labels = Readonly<Record<string, string | number>>;

interface Metric {
  help: string;
  type: 'counter' | 'gauge' | 'histogram';
  /** The lines of its values. */
  lines(name: string): string[];
}

const labelled = (name: string, labels: Labels): string => {
  const parts = Object.entries(labels).map(
    ([key, value]) =>
      `${key}="${String(value).replace(/[\\"\n]/g, (c) => (c === '\n' ? '\\n' : `\\${c}`))}"`,
  );
  return parts.length === 0 ? name : `${name}{${parts.join(',')}}`;
};

/** Numbers about a server, in the text form that Prometheus reads. */
export class Metrics {
  readonly #metrics = new Map<string, Metric>();

  /** A number that only grows, one for each set of labels. */
  counter(name: string, help: string): (labels?: Labels, by?: number) => void {
    const values = new Map<string, number>();
    this.#metrics.set(name, {
      help,
      type: 'counter',
      lines: () => [...values].map(([labels, value]) => `${labels} ${value}`),
    });
    return (labels = {}, by = 1) => {
      const key = labelled(name, labels);
      values.set(key, (values.get(key) ?? 0) + by);
    };
  }

  /** A number that is read when it is asked for. */
  gauge(name: string, help: string, value: () => number): void {
    this.#metrics.set(name, { help, type: 'gauge', lines: () => [`${name} ${value()}`] });
  }

  /** A number that only grows, read when it is asked for. */
  sum(name: string, help: string, value: () => number): void {
    this.#metrics.set(name, { help, type: 'counter', lines: () => [`${name} ${value()}`] });
  }

  /** How often values were at most as large as each of some bounds. */
  histogram(name: string, help: string, bounds: readonly number[]): (value: number) => void {
    const counts = bounds.map(() => 0);
    let [count, sum] = [0, 0];
    this.#metrics.set(name, {
      help,
      type: 'histogram',
      lines: () => [
        ...bounds.map((le, i) => `${labelled(`${name}_bucket`, { le })} ${counts[i]}`),
        `${labelled(`${name}_bucket`, { le: '+Inf' })} ${count}`,
        `${name}_sum ${sum}`,
        `${name}_count ${count}`,
      ],
    });
    return (value) => {
      count++;
      sum += value;
      for (const [i, bound] of bounds.entries()) if (value <= bound) counts[i]!++;
    };
  }

  /** @see https://prometheus.io/docs/instrumenting/exposition_formats/ */
  text(): string {
    const lines = [...this.#metrics].flatMap(([name, { help, type, lines }]) => [
      `# HELP ${name} ${help}`,
      `# TYPE ${name} ${type}`,
      ...lines(name),
    ]);
    return `${lines.join('\n')}\n`;
  }
}
