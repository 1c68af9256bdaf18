// Compiles the kernels of this folder into `src/wasm/binary.ts`, which is committed, so that builds need no compiler. A test compares both.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const path = (name) => fileURLToPath(new URL(name, import.meta.url));

/** A hash of the sources, this script and the compiler's version. */
export function hashOfSources() {
  const hash = createHash('sha256');
  const names = readdirSync(path('.')).filter((name) => /^[a-z-]+\.(?:ts|mjs)$/.test(name));
  for (const name of names.sort()) hash.update(`${name}\n`).update(readFileSync(path(name)));
  hash.update(createRequire(import.meta.url)('assemblyscript/package.json').version);
  return hash.digest('hex');
}

/** @returns the text of `src/wasm/binary.ts`, the same on every machine */
export async function sourceOfBinary() {
  const bytes = await compile();
  // Data at fixed addresses would overwrite the memory of TensorFlow.js's module.
  if (sectionsOf(bytes).includes(11)) throw new Error('the module has data; expected code only');
  const text = Buffer.from(bytes).toString('base64');
  return `// Made by \`pnpm assemble\` from packages/kernels/assembly.
// The sources' SHA-256: ${hashOfSources()}

/** The WebAssembly module of the kernels, ${bytes.length} bytes, in base64. */
export const binary: string =
  '${text}';
`;
}

async function compile() {
  const { default: asc } = await import('assemblyscript/asc');
  let binary;
  const { error, stderr } = await asc.main(
    [
      'index.ts',
      ...['--outFile', 'kernels.wasm', '-O3', '--noAssert', '--runtime', 'stub'],
      // The memory is TensorFlow.js's. Where it is not shared, the loader clears the flag in the import.
      ...['--importMemory', '--sharedMemory', '--initialMemory', '1', '--maximumMemory', '65536'],
      ...['--enable', 'simd', '--enable', 'threads', '--use', 'abort='],
      // "Exchange of 'v128' values": no export takes or returns one.
      ...['--disableWarning', '112'],
    ],
    {
      readFile: (name) => {
        try {
          return readFileSync(path(`./${name}`), 'utf8');
        } catch {
          return null;
        }
      },
      writeFile: (name, contents) => {
        if (name === 'kernels.wasm') binary = contents;
      },
      listFiles: () => [],
    },
  );
  if (error) throw new Error(`${error.message}\n${stderr}`);
  return binary;
}

/** The numbers of a module's sections. */
function sectionsOf(bytes) {
  const found = [];
  let at = 8;
  while (at < bytes.length) {
    const id = bytes[at++];
    let size = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      size |= (byte & 127) << shift;
      if (byte < 128) break;
    }
    found.push(id);
    at += size;
  }
  return found;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(path('../src/wasm/binary.ts'), await sourceOfBinary());
}
