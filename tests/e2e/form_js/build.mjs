// Writes the page's script into the file given: `node build.mjs <file>`.
import { build } from 'esbuild';

await build({ entryPoints: [ 'page.mjs' ], outfile: process.argv[2], bundle: true, format: 'iife', target: 'es2022' });
