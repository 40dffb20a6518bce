/** The applications that are captured: one shop, written with each ORM. */
import { pythonClient, type LanguageClient } from '../support/language-clients.ts';
import { nodeClient, prismaClient } from '../support/node-clients.ts';

export type Application = {
  /** Of its fixture, `captured/<name>.json`. */
  readonly name: string;
  /** As the page names it. */
  readonly title: string;
  readonly build: () => Promise<LanguageClient>;
  /** Words before the URL. */
  readonly words: readonly string[];
};

const node = (): Promise<LanguageClient> =>
  nodeClient('shop-node', ['knex@3.3.0', 'sequelize@6.37.8', 'typeorm@1.1.1', 'drizzle-orm@0.45.4', 'pg@8.23.1']);
const python = (): Promise<LanguageClient> =>
  pythonClient('shop-python', [
    'django==5.2.19',
    'sqlalchemy[asyncio]==2.1.9',
    'psycopg[binary]==3.3.9',
    'psycopg2-binary==2.9.13',
    'asyncpg==0.32.0',
  ]);

export const APPLICATIONS: readonly Application[] = [
  { name: 'prisma', title: 'Prisma 7', build: () => prismaClient('shop-prisma', '7.10.0'), words: [] },
  { name: 'drizzle', title: 'drizzle over pg', build: node, words: ['drizzle'] },
  { name: 'knex', title: 'Knex', build: node, words: ['knex'] },
  { name: 'sequelize', title: 'Sequelize 6', build: node, words: ['sequelize'] },
  { name: 'typeorm', title: 'TypeORM', build: node, words: ['typeorm'] },
  { name: 'django', title: 'Django 5.2', build: python, words: ['django'] },
  { name: 'django-bound', title: 'Django 5.2 with `server_side_binding`', build: python, words: ['django-bound'] },
  ...['psycopg2', 'psycopg', 'asyncpg'].map((driver): Application => ({
    name: `sqlalchemy-${driver}`,
    title: `SQLAlchemy 2 over ${driver}`,
    build: python,
    words: [`sqlalchemy-${driver}`],
  })),
];
