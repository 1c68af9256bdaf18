// Runs examples one after the other in one process: run-examples.mjs NAME…, a line with `# NAME` before what each prints. Ends with 1 where one
// has thrown, after the others have run.
for (const name of process.argv.slice(2)) {
  console.log(`# ${name}`);
  try {
    await import(new URL(`../dist/${name}.js`, import.meta.url).href);
  } catch (error) {
    console.error(`# ${name}: ${error.stack ?? error}`);
    process.exitCode = 1;
  }
}
