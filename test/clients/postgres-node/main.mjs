/** ORMs for Node over sealed columns: `<packages' folder> <url>`. Prints `ok`. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { withKnex } from './knex.mjs';
import { withSequelize } from './sequelize.mjs';
import { withTypeorm } from './typeorm.mjs';

const [folder, url, ...only] = process.argv.slice(2);
const require = createRequire(join(folder, 'package.json'));

const ORMS = { knex: withKnex, sequelize: withSequelize, typeorm: withTypeorm };

for (const [name, use] of Object.entries(ORMS)) if (only.length === 0 || only.includes(name)) await use(require, url);
console.log('ok');
