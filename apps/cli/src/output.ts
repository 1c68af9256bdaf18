import cliProgress from 'cli-progress';
import picocolors from 'picocolors';
import plot from 'simple-ascii-chart';

/** Writes for people on standard output, or one JSON value a line for machines. */
export interface Output {
  readonly json: boolean;
  /** A line for people; nothing with `--json`. */
  say(line: string): void;
  /** A value for machines; nothing without `--json`. */
  emit(value: unknown): void;
  /** A line that is neither result nor progress, on standard error. */
  note(line: string): void;
}

export function output(json: boolean): Output {
  return {
    json,
    say: (line) => {
      if (!json) process.stdout.write(`${line}\n`);
    },
    emit: (value) => {
      if (json) process.stdout.write(`${JSON.stringify(value)}\n`);
    },
    note: (line) => {
      process.stderr.write(`${line}\n`);
    },
  };
}

/** Colours for a terminal; picocolors alone would also colour a file where `CI` is set. */
export const colors: ReturnType<typeof picocolors.createColors> = picocolors.createColors(
  picocolors.isColorSupported && process.stdout.isTTY === true,
);

/** Shows how far a long piece of work is. */
export interface Progress {
  update(done: number, text: string): void;
  stop(): void;
}

/** A bar on a terminal, a plain line every ten seconds otherwise, nothing with `--json`. */
export function progress(out: Output, total: number, start: number): Progress {
  if (out.json) return { update() {}, stop() {} };
  if (process.stdout.isTTY) {
    const bar = new cliProgress.SingleBar({
      format: `${colors.cyan('{bar}')} {value}/{total}  {text}`,
      stream: process.stdout,
      hideCursor: true,
      etaBuffer: 50,
    });
    bar.start(total, start, { text: '' });
    return { update: (done, text) => bar.update(done, { text }), stop: () => bar.stop() };
  }
  let next = 0;
  return {
    update(done, text) {
      if (performance.now() < next && done < total) return;
      next = performance.now() + 10_000;
      out.say(`step ${done}/${total}  ${text}`);
    },
    stop() {},
  };
}

/** A curve in characters, its values averaged into at most 60 columns. */
export function curve(values: readonly number[], title: string): string {
  const columns = Math.min(60, values.length);
  const points = Array.from({ length: columns }, (_, i): [number, number] => {
    const from = Math.floor((i * values.length) / columns);
    const to = Math.floor(((i + 1) * values.length) / columns);
    const part = values.slice(from, to);
    return [to, part.reduce((sum, v) => sum + v, 0) / part.length];
  });
  // A tick at each point would run together; the steps of three of them say enough.
  const marked = [0, Math.floor(columns / 2), columns - 1].map((i) => points[i]![0]);
  return plot(points, { width: 60, height: 10, title, customXAxisTicks: marked });
}

/** How a person calls this program here; scripts that wrap it say so in `HEADWISE_COMMAND`. */
export function commandName(): string {
  const { HEADWISE_COMMAND, npm_lifecycle_event } = process.env;
  return HEADWISE_COMMAND ?? (npm_lifecycle_event === 'headwise' ? 'pnpm headwise' : 'headwise');
}

/** A time for people: `2 m 05 s`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  return `${Math.floor(whole / 60)} m ${String(whole % 60).padStart(2, '0')} s`;
}
