// A thread of the wasm kernels. The program is that of src/wasm/threads.ts, which starts it from text where no file can be had.
addEventListener('message', ({ data }) =>
  (({ module, memory, control, number }, started) => {
    const { exports } = new WebAssembly.Instance(module, { env: { memory } });
    exports.attach(control, number);
    started();
    exports.work();
  })(data, () => postMessage('started')),
);
