// Compiles the kernels of this folder and writes the binary into a source file, `src/wasm/binary.ts`. Tests compare them: builds need no
// compiler.
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
  // The memory is another module's: constants at fixed places would overwrite it.
  if (sectionsOf(bytes).includes(11)) throw new Error('the module has data; expected code only');
  const text = Buffer.from(bytes).toString('base64');
  return `// Made by assembly/build.mjs of what lies beside it: \`pnpm assemble\`.
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
      // The memory is that of TensorFlow.js; of another one than it declares only the flag `shared` is changed when it is loaded.
      ...['--importMemory', '--sharedMemory', '--initialMemory', '1', '--maximumMemory', '65536'],
      ...['--enable', 'simd', '--enable', 'threads', '--use', 'abort='],
      // "Exchange of 'v128' values": kernels exchange none.
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
