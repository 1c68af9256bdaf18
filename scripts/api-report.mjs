// Writes packages/*/api.md, the exported declarations of every public entry as tsc emits them, or compares them with
// what is committed (--check). Needs a build. Entries named './internal' are for packages of ours, and not listed.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const taken = /^(?:export|import) (?:type )?\{([^}]*)\} from '([^']+)';$/;
const declaration =
  /^(?:export )?(?:declare )?(?:abstract )?(?:function\*?|class|interface|type|const|let|var|enum|namespace) (\w+)/;

/** The statements of a declaration file with the comment before each; tsc indents everything inside of one. */
export function statementsOf(text) {
  const statements = [];
  let comment = [];
  let lines = [];
  const close = () => {
    const code = lines.join('\n').trim();
    if (code !== '') statements.push({ comment: comment.join('\n'), code });
    if (code !== '') comment = [];
    lines = [];
  };
  let inComment = false;
  for (const line of text.split('\n')) {
    if (inComment || /^\/\*\*/.test(line)) {
      if (!inComment) {
        close();
        comment = [];
      }
      comment.push(line);
      inComment = !line.includes('*/');
    } else if (/^\/\//.test(line)) {
      close();
    } else {
      if (/^(?:export|declare|import|interface|type)\b/.test(line)) close();
      lines.push(line);
    }
  }
  close();
  return statements;
}

/** The declarations of a name in a declaration file or those that it takes it from; overloads are several. */
export function declarationsOf(file, name, read = (path) => readFileSync(path, 'utf8')) {
  const statements = statementsOf(read(file));
  const found = statements.filter(({ code }) => declaration.exec(code)?.[1] === name);
  if (found.length > 0) return found;
  for (const { code } of statements) {
    const space = /^import \* as (\w+) from '(\..+)\.js';$/.exec(code);
    if (space?.[1] === name)
      return [namespaceOf(name, join(dirname(file), `${space[2]}.d.ts`), read)];
    const match = taken.exec(code.replace(/\s+/g, ' '));
    const source = match && namesOf(match[1]).find(({ exported }) => exported === name);
    if (!source) continue;
    const from = match[2];
    if (!from.startsWith('.')) {
      const local = source.local === name ? name : `${source.local} as ${name}`;
      return [{ comment: '', code: `export { ${local} } from '${from}';` }];
    }
    const path = join(dirname(file), from.replace(/\.js$/, '.d.ts'));
    return declarationsOf(path, source.local, read).map((one) =>
      source.local === name ? one : { ...one, code: `${one.code} // exported as ${name}` },
    );
  }
  throw new Error(`${file}: '${name}' is exported, but not declared`);
}

/** A module that is exported as one name, with all that it holds. */
function namespaceOf(name, file, read) {
  const members = exportedNames(read(file)).flatMap((member) =>
    declarationsOf(file, member, read).map(({ code }) => shortened(code)),
  );
  const inner = members.join('\n').replace(/^/gm, '  ');
  return { comment: '', code: `namespace ${name} {\n${inner}\n}`, isShort: true };
}

/** What an entry exports. */
export function exportedNames(text) {
  const names = new Set();
  for (const { code } of statementsOf(text)) {
    const list = /^export (?:type )?\{([^}]*)\}/.exec(code.replace(/\s+/g, ' '));
    if (list) for (const { exported } of namesOf(list[1])) names.add(exported);
    else if (code.startsWith('export')) names.add(declaration.exec(code)?.[1] ?? code);
  }
  return [...names].sort((a, b) => (a < b ? -1 : 1));
}

function namesOf(list) {
  return list
    .split(',')
    .map((one) => one.trim().replace(/^type /, ''))
    .filter((one) => one !== '')
    .map((one) => {
      const [local, exported = local] = one.split(' as ');
      return { local, exported };
    });
}

/** The first sentence or paragraph of a doc comment. */
export function summaryOf(comment) {
  const text = comment.replace(/^\/\*\*|\*\/$/g, '').replace(/^ *\* ?/gm, '');
  return text
    .trim()
    .split(/\n\s*\n|\n@|^@/)[0]
    .replace(/\s+/g, ' ')
    .trim();
}

/** A declaration without comments, private fields and the words that all of them have. */
export function shortened(code) {
  return code
    .replace(/^ *\/\*\*.*?\*\/\n/gms, '')
    .split('\n')
    .filter((line) => line.trim() !== '' && !/^ *(?:#private|private .*);$/.test(line))
    .join('\n')
    .replace(/^export (?:declare )?(?!\{)|^declare /, '')
    .replaceAll('    ', '  ');
}

/** The report of one package. */
export function reportOf(folder) {
  const { name, exports } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const parts = [
    `# The public interface of ${name}`,
    'Written by `pnpm api` from the declarations; `npm test` fails where they differ. Review a change here as one of the interface.',
  ];
  for (const [entry, target] of Object.entries(exports)) {
    const built = typeof target === 'string' ? target : target.default;
    if (!built.endsWith('.js') || entry === './internal') continue;
    const file = join(folder, built.replace(/\.js$/, '.d.ts'));
    if (!existsSync(file)) throw new Error(`${file}: is missing; run: pnpm build`);
    const names = exportedNames(readFileSync(file, 'utf8'));
    parts.push(`## \`${name}${entry.slice(1)}\`: ${names.length} exports`);
    for (const exported of names) {
      const declarations = declarationsOf(file, exported);
      const code = declarations
        .map(({ code, isShort }) => (isShort ? code : shortened(code)))
        .join('\n');
      const summary = declarations.map((one) => summaryOf(one.comment)).find((text) => text !== '');
      parts.push(`### ${exported}`, ...(summary ? [summary] : []), `\`\`\`ts\n${code}\n\`\`\``);
    }
  }
  return `${parts.join('\n\n')}\n`;
}

function main(root, check) {
  for (const name of readdirSync(join(root, 'packages')).sort()) {
    const folder = join(root, 'packages', name);
    const manifest = join(folder, 'package.json');
    if (!existsSync(manifest) || JSON.parse(readFileSync(manifest, 'utf8')).private) continue;
    const path = join(folder, 'api.md');
    const report = reportOf(folder);
    if (!check) writeFileSync(path, report);
    else if (!existsSync(path) || readFileSync(path, 'utf8') !== report) {
      console.error(
        `packages/${name}/api.md: differs from the declarations; run: pnpm api, and review what it changes`,
      );
      process.exitCode = 1;
    }
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  main(fileURLToPath(new URL('..', import.meta.url)), process.argv.includes('--check'));
}
