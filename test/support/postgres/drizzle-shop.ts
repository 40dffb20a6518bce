/** A shop's schema as its application declares it to drizzle, with no word of sealing; and the rules that seal parts of it. */
import { relations } from 'drizzle-orm';
import {
  bigint,
  boolean,
  date,
  integer,
  jsonb,
  numeric,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uuid,
  varchar,
} from 'drizzle-orm/pg-core';
import { testedVersion } from './versions.ts';

export const customers = pgTable('customers', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  name: text().notNull(),
  email: text().unique(),
  nationalId: varchar('national_id', { length: 20 }),
  externalId: uuid('external_id'),
  loyaltyNumber: bigint('loyalty_number', { mode: 'number' }),
  birthDate: date('birth_date'),
  balance: numeric({ precision: 12, scale: 2 }),
  active: boolean(),
  preferences: jsonb().$type<{ readonly newsletter: boolean; readonly tags: readonly string[] }>(),
  lastSeen: timestamp('last_seen', { withTimezone: true }),
  notes: text(),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
});

export const orders = pgTable('orders', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  customerId: integer('customer_id')
    .notNull()
    .references(() => customers.id, { onDelete: 'cascade' }),
  total: numeric({ precision: 12, scale: 2 }).notNull(),
  remark: text(),
});

export const labels = pgTable('labels', { id: integer().primaryKey(), label: text().notNull() });

export const customerLabels = pgTable(
  'customer_labels',
  {
    customerId: integer('customer_id').references(() => customers.id, { onDelete: 'cascade' }),
    labelId: integer('label_id').references(() => labels.id),
  },
  (table) => [primaryKey({ columns: [table.customerId, table.labelId] })],
);

const customerRelations = relations(customers, ({ many }) => ({ orders: many(orders) }));
const orderRelations = relations(orders, ({ one }) => ({
  customer: one(customers, { fields: [orders.customerId], references: [customers.id] }),
}));

/** For drizzle's relational queries. */
export const SCHEMA = { customers, orders, customerRelations, orderRelations };

/** DEFAULT in several rows of one INSERT, as drizzle writes it, is refused for `always` by PostgreSQL 13 (428C9). */
const IDENTITY = testedVersion() < 14 ? 'by default' : 'always';

/** As the application's first migration made it. */
export const SHOP_DDL = `
create table customers (
  id integer primary key generated ${IDENTITY} as identity, name text not null, email text unique, national_id varchar(20),
  external_id uuid, loyalty_number bigint, birth_date date, balance numeric(12, 2), active boolean, preferences jsonb,
  last_seen timestamptz, notes text, created_at timestamptz not null default now());
create table orders (
  id integer primary key generated ${IDENTITY} as identity, customer_id integer not null references customers on delete cascade,
  total numeric(12, 2) not null, remark text);
create table labels (id integer primary key, label text not null);
create table customer_labels (
  customer_id integer references customers on delete cascade, label_id integer references labels, primary key (customer_id, label_id));`;

const rule = (column: string, type: string, more = ''): string =>
  `    - { column: shop.public.${column}, type: "${type}", key: alias/shop${more} }`;
const DETERMINISTIC = ', mode: deterministic';

export const SHOP_RULES = [
  rule('customers.email', 'text', DETERMINISTIC),
  rule('customers.national_id', 'varchar(20)', DETERMINISTIC),
  rule('customers.external_id', 'uuid', DETERMINISTIC),
  rule('customers.loyalty_number', 'bigint', DETERMINISTIC),
  rule('customers.birth_date', 'date'),
  rule('customers.balance', 'numeric(12,2)'),
  rule('customers.active', 'boolean'),
  rule('customers.preferences', 'jsonb'),
  rule('customers.last_seen', 'timestamptz'),
  rule('customers.notes', 'text'),
  rule('orders.remark', 'text'),
].join('\n');

export const ANN = {
  name: 'Ann',
  email: 'ann@example.org',
  nationalId: '078-05-1120',
  externalId: '7d444840-9dc0-11d1-b245-5ffdce74fad2',
  loyaltyNumber: 9_007_199_254_740_991,
  birthDate: '1984-02-29',
  balance: '1234567890.05',
  active: true,
  preferences: { newsletter: false, tags: ['crème brûlée', '"quoted"'] },
  lastSeen: new Date('2026-02-03T04:05:06.789Z'),
  notes: 'Likes tea; asks for Ms O’Neill.',
};
export const BOB = { name: 'Bob', email: 'bob@example.org', nationalId: '219-09-9999', active: false };

/** What must be found nowhere past Sealgate. */
export const SHOP_CANARIES = [ANN.email, ANN.nationalId, ANN.notes, BOB.email, BOB.nationalId, 'fragile, do not bend'];
