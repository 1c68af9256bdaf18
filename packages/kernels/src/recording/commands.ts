/** One command of a recorded step, with all that it takes to encode it again. */
export type Command =
  | { kind: 'pass' }
  | { kind: 'pipeline'; pipeline: GPUComputePipeline }
  | { kind: 'bindings'; index: number; bindGroup: GPUBindGroup }
  | { kind: 'immediates'; offset: number; values: ArrayBuffer }
  | { kind: 'dispatch'; workgroups: readonly [number, number, number] }
  | { kind: 'end' }
  | { kind: 'copy'; copy: Copy }
  | { kind: 'clear'; clear: Clear };

type Clear = Parameters<GPUCommandEncoder['clearBuffer']>;
type Copy = [source: GPUBuffer, from: number, target: GPUBuffer, to: number, size: number];

/**
 * A command encoder that also logs its commands; other commands than those of
 * TensorFlow.js's compute operations are refused.
 */
export function loggingEncoder(encoder: GPUCommandEncoder, log: Command[]): GPUCommandEncoder {
  return only<GPUCommandEncoder>('command encoder', {
    beginComputePass: () => {
      log.push({ kind: 'pass' });
      return loggingPass(encoder.beginComputePass(), log);
    },
    copyBufferToBuffer: (...copy: unknown[]) => {
      log.push({ kind: 'copy', copy: copy as Copy });
      encoder.copyBufferToBuffer(...(copy as Copy));
    },
    clearBuffer: (...clear: Clear) => {
      log.push({ kind: 'clear', clear });
      encoder.clearBuffer(...clear);
    },
    finish: () => encoder.finish(),
  });
}

function loggingPass(pass: GPUComputePassEncoder, log: Command[]): GPUComputePassEncoder {
  return only<GPUComputePassEncoder>('compute pass', {
    setPipeline: (pipeline: GPUComputePipeline) => {
      log.push({ kind: 'pipeline', pipeline });
      pass.setPipeline(pipeline);
    },
    setBindGroup: (index: number, bindGroup: GPUBindGroup) => {
      log.push({ kind: 'bindings', index, bindGroup });
      pass.setBindGroup(index, bindGroup);
    },
    setImmediates: (offset: number, values: ArrayBuffer) => {
      log.push({ kind: 'immediates', offset, values });
      pass.setImmediates(offset, values);
    },
    dispatchWorkgroups: (x: number, y = 1, z = 1) => {
      log.push({ kind: 'dispatch', workgroups: [x, y, z] });
      pass.dispatchWorkgroups(x, y, z);
    },
    end: () => {
      log.push({ kind: 'end' });
      pass.end();
    },
  });
}

/** An object that has these methods, and throws for all others of the type that it stands for. */
function only<T>(what: string, methods: Partial<T>): T {
  return new Proxy(methods as object, {
    get(target, name) {
      if (Object.hasOwn(target, name)) return Reflect.get(target, name);
      throw new Error(
        `a recorded step used '${String(name)}' of the ${what}, which is not recorded`,
      );
    },
  }) as T;
}

/** Encodes recorded commands. */
export function encode(encoder: GPUCommandEncoder, commands: readonly Command[]): void {
  let pass: GPUComputePassEncoder | undefined;
  for (const command of commands) {
    switch (command.kind) {
      case 'pass':
        pass = encoder.beginComputePass();
        break;
      case 'pipeline':
        pass!.setPipeline(command.pipeline);
        break;
      case 'bindings':
        pass!.setBindGroup(command.index, command.bindGroup);
        break;
      case 'immediates':
        pass!.setImmediates(command.offset, command.values);
        break;
      case 'dispatch':
        pass!.dispatchWorkgroups(...command.workgroups);
        break;
      case 'end':
        pass!.end();
        break;
      case 'copy':
        encoder.copyBufferToBuffer(...command.copy);
        break;
      case 'clear':
        encoder.clearBuffer(...command.clear);
        break;
    }
  }
}

/** The commands without the borders between passes that nothing stands in: one pass costs less than many. */
export function joinPasses(commands: readonly Command[]): Command[] {
  return commands.filter(
    ({ kind }, i) =>
      !(kind === 'end' && commands[i + 1]?.kind === 'pass') &&
      !(kind === 'pass' && commands[i - 1]?.kind === 'end'),
  );
}
