// Writes feelin.js and LICENSES.txt into the folder given, or into the package: `node build.mjs [folder]`.
import { build } from 'esbuild';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const folder = process.argv[2] ?? dirname(here);

const built = await build({
  absWorkingDir: here,
  entryPoints: [ 'entry.mjs' ],
  outfile: join(folder, 'feelin.js'),
  bundle: true,
  charset: 'ascii',
  format: 'iife',
  legalComments: 'none',
  // feelin reads the names of a function's parameters off its source: names must stay, or named arguments fail.
  minifyWhitespace: true,
  minifySyntax: true,
  target: 'es2022',
  metafile: true,
});

const packages = new Set(
  Object.keys(built.metafile.inputs)
    .map(path => /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1])
    .filter(Boolean)
);

const licences = [ ...packages ].sort().map(name => {
  const root = join(here, 'node_modules', name);
  const { version, license } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const file = readdirSync(root).find(entry => /^licen[cs]e/i.test(entry));
  return `${name} ${version} (${license})\n\n${readFileSync(join(root, file), 'utf8').trim()}\n`;
});

writeFileSync(join(folder, 'LICENSES.txt'), [
  'feelin.js is made of the packages below and of the files in bundle/.\n', ...licences
].join(`\n${'-'.repeat(80)}\n\n`));
