/** How all lanes of a workgroup come to hold the same elements of a row in storage. */
export interface Broadcast {
  readonly name: string;
  readonly lanes: number;
  readonly enable: string[];
  /** Columns of a row that are read at once. */
  readonly step: number;
  /** WGSL that reads columns `c … c + step` of the row that begins at `start`. */
  read(name: string, buffer: string, start: string): string;
  /** WGSL of column `c + x` of a row that was read. */
  take(name: string, x: number): string;
}

/** Every lane reads every element: no barrier, no subgroup, correct everywhere. */
export function directBroadcast(width: number, lanes: number): Broadcast {
  const step = width % 4 === 0 ? 4 : width % 2 === 0 ? 2 : 1;
  return {
    name: 'direct',
    lanes,
    enable: [],
    step,
    read: (name, buffer, start) =>
      Array.from(
        { length: step },
        (_, x) => `let ${name}_${x} = ${buffer}[${start} + c + ${x}u];`,
      ).join(' '),
    take: (name, x) => `${name}_${x}`,
  };
}

/** Each lane reads one element, and hands it to the others by a shuffle; a workgroup is one subgroup. */
export function shuffleBroadcast(width: number, subgroup: number): Broadcast {
  // Columns beyond the row's width must count as nothing, whatever lies there.
  const inRow = width % subgroup === 0;
  return {
    name: 'shuffle',
    lanes: subgroup,
    enable: ['subgroups'],
    step: subgroup,
    read: (name, buffer, start) => {
      if (inRow) return `let ${name} = ${buffer}[${start} + c + lane];`;
      const column = 'min(c + lane, params.width - 1u)';
      return `let ${name} = select(0.0, ${buffer}[${start} + ${column}], c + lane < params.width);`;
    },
    take: (name, x) => `subgroupShuffle(${name}, ${x}u)`,
  };
}
