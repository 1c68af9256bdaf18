// Saves every tiny checkpoint with the built packages, loads it with transformers, and records that nothing differs.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { environment, run } from '../../python.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const goldens = fileURLToPath(new URL('../../../packages/parity/goldens', import.meta.url));
const result = join(here, 'roundtrip.json');
const saved = mkdtempSync(join(tmpdir(), 'headwise-saved-'));
try {
  run(process.execPath, [join(here, 'save.mjs'), saved]);
  rmSync(result, { force: true });
  for (const which of ['', '-before-five']) {
    const requirements = join(here, `requirements${which}.txt`);
    const { python } = environment(`goldens-transformers${which}`, requirements);
    run(python, [join(here, 'roundtrip.py'), goldens, saved, result]);
  }
} finally {
  rmSync(saved, { recursive: true });
}
