// Writes the API reference, in Markdown, from the docstrings of all that the package exports: `npm run docs`.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readArguments, runCommand } from '../arguments.js';
import { installPackages } from '../packages.js';
import packages from './package.json' with { type: 'json' };

const here = fileURLToPath(new URL('.', import.meta.url));
const root = fileURLToPath(new URL('../..', import.meta.url));

/** The source of each entry point: `dist/cpu.d.ts` is made from `src/cpu.ts`. */
function entryPoints(): readonly string[] {
  const { exports }: { exports: Readonly<Record<string, string | { readonly types: string }>> } = JSON.parse(
    readFileSync(`${root}package.json`, 'utf8'),
  );
  return Object.values(exports).flatMap((target) =>
    typeof target === 'string' ? [] : [target.types.replace(/^\.\/dist\/(.*)\.d\.ts$/, `${root}src/$1.ts`)],
  );
}

await runCommand('docs', async () => {
  const { out } = readArguments(process.argv.slice(2), {
    out: { type: 'string', default: `${root}docs/api` },
  });
  installPackages(here, packages, 'TypeDoc');
  // In its own folder, where it finds its plugin. A docstring that is missing, or a link to nothing, is an error.
  const typedoc = `${here}node_modules/typedoc/bin/typedoc`;
  const points = entryPoints().flatMap((file) => ['--entryPoints', file]);
  execFileSync(process.execPath, [typedoc, '--options', 'typedoc.json', '--out', resolve(out), ...points], {
    cwd: here,
    stdio: 'inherit',
  });
});
