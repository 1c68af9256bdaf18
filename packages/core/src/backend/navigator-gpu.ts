/** WebGPU as the browser has it. */
export async function navigatorGpu(): Promise<GPU | { missing: string }> {
  const gpu = globalThis.navigator?.gpu;
  return (
    gpu ?? {
      missing:
        'this browser offers no WebGPU here; use a recent Chrome, Edge, Safari or Firefox, over https or on localhost',
    }
  );
}

/** Nothing: a browser waits in a process of its own. */
export function pollWithPauses(): void {}
