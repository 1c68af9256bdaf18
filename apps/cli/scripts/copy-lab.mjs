// Puts the built lab beside the built command line, which serves it.
import { cpSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
rmSync(at('../dist/lab'), { recursive: true, force: true });
cpSync(at('../../lab/dist'), at('../dist/lab'), { recursive: true });
