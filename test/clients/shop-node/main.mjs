/** A shop's back office written with one of Node's ORMs: `<packages' folder> <which> <url>`. What it sends is captured; prints `ok`. */
import { createRequire } from 'node:module';
import { join } from 'node:path';

const [folder, which, url] = process.argv.slice(2);
const require = createRequire(join(folder, 'package.json'));
const { work } = await import(`./${which}.mjs`);
await work(require, url);
console.log('ok');
