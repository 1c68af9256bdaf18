import type { Reporter, TestModule } from 'vitest/node';

/** Says at the end of a run of all projects how much of the full set it left out, and how to run that. */
export class LeftOutReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const cases = modules.reduce((sum, module) => sum + (module.meta().leftOut ?? 0), 0);
    const of = (project: string) =>
      modules.filter((module) => module.project.name.split(' ')[0] === project).length;
    const files = of('chromium') > 0 ? Math.max(0, of('webgpu') - of('chromium')) : 0;
    if (cases + files === 0) return;
    console.log(
      `   Left out  ${cases} cases, and ${files} files in Chromium; \`pnpm test:full\` runs them too\n`,
    );
  }
}
