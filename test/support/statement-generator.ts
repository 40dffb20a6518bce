/** Random SQL over the tables of `postgres-fuzz.test.ts`; the same seed gives the same statements. */

export type GeneratedStatement = {
  readonly sql: string;
  readonly values: readonly unknown[];
  /** Whether it may change rows. */
  readonly changes: boolean;
};

type Column = {
  readonly name: string;
  readonly type: 'text' | 'int' | 'numeric' | 'date' | 'bool';
  readonly searched: boolean;
};

const TABLES: Readonly<Record<string, readonly Column[]>> = {
  customers: [
    { name: 'id', type: 'int', searched: true },
    { name: 'name', type: 'text', searched: true },
    { name: 'email', type: 'text', searched: true },
    { name: 'ssn', type: 'text', searched: true },
    { name: 'note', type: 'text', searched: false },
    { name: 'score', type: 'int', searched: true },
    { name: 'amount', type: 'numeric', searched: true },
    { name: 'born', type: 'date', searched: true },
    { name: 'active', type: 'bool', searched: false },
  ],
  people: [
    { name: 'id', type: 'int', searched: true },
    { name: 'name', type: 'text', searched: true },
    { name: 'email', type: 'text', searched: true },
    { name: 'score', type: 'int', searched: true },
    { name: 'born', type: 'date', searched: false },
  ],
  v: [
    { name: 'id', type: 'int', searched: true },
    { name: 'email', type: 'text', searched: true },
    { name: 'score', type: 'int', searched: true },
    { name: 'note', type: 'text', searched: false },
  ],
};

const CONSTANTS: Readonly<Record<Column['type'], readonly string[]>> = {
  text: ['Ann', 'Bob', '111', '', "o'hara", 'ä\u{1f600}'],
  int: ['5', '-5', '7', '0', '2', '2147483647'],
  numeric: ['1.50', '5', '0', '-3.333', '1.5'],
  date: ['2001-02-03', '1999-12-31', '2024-02-29'],
  bool: ['true', 'false'],
};

/** For sealed columns of text alone: what of them has one of the `CANARIES` must reach the server nowhere. */
const SEALED_TEXT = [
  'ann@x.org',
  'bob@x.org',
  'canary-n1',
  'canary-111',
  '',
  "o'hara@x.org",
  'ä\u{1f600}canary',
  '111',
];
export const CANARIES = ['canary', '@x.org'];

const constantsFor = ({ name, type }: Column): readonly string[] =>
  type === 'text' && name !== 'name' ? SEALED_TEXT : CONSTANTS[type];

type Scope = readonly { readonly alias: string; readonly columns: readonly Column[] }[];

export class StatementGenerator {
  #state: number;
  #values: unknown[] = [];
  #withParameters = false;
  #nextId = 100;

  constructor(seed: number) {
    this.#state = seed * 7919 + 1;
  }

  next(): GeneratedStatement {
    this.#values = [];
    this.#withParameters = this.#chance(0.5);
    const changes = this.#chance(0.3);
    const sql = changes ? this.#change() : this.#query(2);
    return { sql, values: this.#values, changes };
  }

  /** mulberry32 */
  #random(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }

  #chance(probability: number): boolean {
    return this.#random() < probability;
  }

  #pick<T>(from: readonly T[]): T {
    const picked = from[Math.floor(this.#random() * from.length)];
    if (picked === undefined) throw new Error('nothing to pick from');
    return picked;
  }

  #constant(column: Column): string {
    const { type } = column;
    const text = this.#pick(constantsFor(column));
    if (this.#withParameters && this.#chance(0.5)) {
      this.#values.push(text);
      return `$${this.#values.length}`;
    }
    return type === 'int' || type === 'numeric' || type === 'bool' ? text : `'${text.replaceAll("'", "''")}'`;
  }

  #from(depth: number): { sql: string; scope: Scope } {
    const first = this.#source('a', depth);
    if (this.#chance(0.5)) return first;
    const second = this.#source('b', depth);
    const kind = this.#pick(['JOIN', 'LEFT JOIN', 'RIGHT JOIN', 'FULL JOIN', 'CROSS JOIN']);
    const scope = [...first.scope, ...second.scope];
    if (kind === 'CROSS JOIN') return { sql: `${first.sql} CROSS JOIN ${second.sql}`, scope };
    const shared = this.#pick(['id', 'email', 'score']);
    const has = (part: Scope): boolean => part.every(({ columns }) => columns.some(({ name }) => name === shared));
    const on = has(first.scope) && has(second.scope) ? `a.${shared} = b.${shared}` : 'a.id = b.id';
    return { sql: `${first.sql} ${kind} ${second.sql} ON ${on}`, scope };
  }

  #source(alias: string, depth: number): { sql: string; scope: Scope } {
    const table = this.#pick(Object.keys(TABLES));
    const columns = TABLES[table] ?? [];
    if (depth > 0 && this.#chance(0.25)) {
      const kept = columns.filter(({ name }) => name === 'id' || this.#chance(0.7));
      const inner = [{ alias: 'i', columns }];
      const list = kept.map(({ name }) => `i.${name}`).join(', ');
      const sql = `(SELECT ${list} FROM ${table} i WHERE ${this.#predicate(inner, 0)}) ${alias}`;
      return { sql, scope: [{ alias, columns: kept }] };
    }
    return { sql: `${table} ${alias}`, scope: [{ alias, columns }] };
  }

  #column(scope: Scope, fits: (column: Column) => boolean = () => true): { sql: string; column: Column } | undefined {
    const all = scope.flatMap(({ alias, columns }) =>
      columns.filter(fits).map((column) => ({ sql: `${alias}.${column.name}`, column })),
    );
    return all.length === 0 ? undefined : this.#pick(all);
  }

  #predicate(scope: Scope, depth: number): string {
    if (depth > 0 && this.#chance(0.35)) {
      const parts = [this.#predicate(scope, depth - 1), this.#predicate(scope, depth - 1)];
      return `(${parts.join(this.#pick([' AND ', ' OR ']))})`;
    }
    if (depth > 0 && this.#chance(0.1)) return `NOT (${this.#predicate(scope, depth - 1)})`;
    if (depth > 0 && this.#chance(0.15)) return this.#subquery(scope);
    const picked = this.#column(scope, ({ searched }) => searched || this.#chance(0.1));
    if (picked === undefined) return 'true';
    const { sql, column } = picked;
    switch (this.#pick(['=', '<>', 'in', 'any', 'null', 'distinct', 'same', 'not in'])) {
      case '=':
        return `${sql} = ${this.#constant(column)}`;
      case '<>':
        return `${sql} <> ${this.#constant(column)}`;
      case 'in':
        return `${sql} IN (${this.#constant(column)}, ${this.#constant(column)})`;
      case 'not in':
        return `${sql} NOT IN (${this.#constant(column)}, ${this.#constant(column)})`;
      case 'any': {
        this.#values.push([this.#pick(constantsFor(column)), this.#pick(constantsFor(column))]);
        return `${sql} = ANY($${this.#values.length})`;
      }
      case 'null':
        return `${sql} IS ${this.#pick(['NULL', 'NOT NULL'])}`;
      case 'distinct':
        return `${sql} IS ${this.#pick(['', 'NOT '])}DISTINCT FROM ${this.#constant(column)}`;
      default: {
        const other = this.#column(scope, ({ name }) => name === column.name);
        return `${sql} = ${other?.sql ?? sql}`;
      }
    }
  }

  #subquery(scope: Scope): string {
    const table = this.#pick(['customers', 'people']);
    const shared = this.#pick(['id', 'email', 'score']);
    const outer = this.#column(scope, ({ name }) => name === shared);
    if (outer === undefined) return 'true';
    switch (this.#pick(['exists', 'in', 'scalar'])) {
      case 'exists':
        return `EXISTS (SELECT 1 FROM ${table} s WHERE s.${shared} = ${outer.sql})`;
      case 'in':
        return `${outer.sql} ${this.#pick(['IN', 'NOT IN'])} (SELECT s.${shared} FROM ${table} s WHERE s.id < ${this.#pick(['2', '4', '9'])})`;
      default:
        return `${outer.sql} = (SELECT s.${shared} FROM ${table} s WHERE s.id = ${this.#pick(['1', '2', '3'])})`;
    }
  }

  #item(scope: Scope): string {
    const { sql, column } = this.#column(scope) ?? {
      sql: '1',
      column: { name: 'x', type: 'int', searched: true },
    };
    switch (this.#pick(['column', 'column', 'column', 'alias', 'coalesce', 'case', 'scalar', 'star'])) {
      case 'alias':
        return `${sql} AS ${this.#pick(['id', 'email', 'renamed', '"Odd Name"'])}`;
      case 'coalesce':
        return `coalesce(${sql}, ${this.#chance(0.5) ? sql : this.#constant(column)})`;
      case 'case':
        return `CASE WHEN ${this.#predicate(scope, 0)} THEN ${sql} END`;
      case 'scalar':
        return `(SELECT s.${this.#pick(['name', 'email', 'score'])} FROM people s WHERE s.id = ${this.#pick(['1', '2'])})`;
      case 'star':
        return this.#chance(0.5) ? '*' : `${this.#pick(scope).alias}.*`;
      default:
        return sql;
    }
  }

  #query(depth: number): string {
    if (depth > 0 && this.#chance(0.12)) {
      const inner = this.#plainSelect(0);
      return `WITH w AS (${inner}) SELECT * FROM w`;
    }
    if (this.#chance(0.12)) return this.#grouped();
    if (this.#chance(0.12)) return this.#setOperation();
    return this.#plainSelect(depth);
  }

  #plainSelect(depth: number): string {
    const { sql, scope } = this.#from(depth);
    const items = Array.from({ length: 1 + Math.floor(this.#random() * 3) }, () => this.#item(scope));
    const distinct = this.#chance(0.15) ? 'DISTINCT ' : '';
    const where = this.#chance(0.8) ? ` WHERE ${this.#predicate(scope, depth)}` : '';
    return `SELECT ${distinct}${items.join(', ')} FROM ${sql}${where}`;
  }

  #grouped(): string {
    const { sql, scope } = this.#from(1);
    const by = this.#column(scope, ({ searched }) => searched)?.sql ?? 'a.id';
    const counted = this.#column(scope)?.sql ?? 'a.id';
    const having = this.#chance(0.3) ? ' HAVING count(*) > 1' : '';
    const distinct = this.#chance(0.3) ? 'DISTINCT ' : '';
    return `SELECT ${by}, count(*), count(${distinct}${counted}) FROM ${sql} WHERE ${this.#predicate(scope, 1)} GROUP BY ${by}${having}`;
  }

  #setOperation(): string {
    const column = this.#pick(['id', 'name', 'email', 'score']);
    const part = (table: string): string => {
      const scope = [{ alias: 't', columns: TABLES[table] ?? [] }];
      return `SELECT t.${column} FROM ${table} t WHERE ${this.#predicate(scope, 1)}`;
    };
    const how = this.#pick(['UNION', 'UNION ALL', 'INTERSECT', 'EXCEPT']);
    return `${part('customers')} ${how} ${part('people')}`;
  }

  #change(): string {
    const table = this.#pick(['customers', 'people']);
    const columns = TABLES[table] ?? [];
    const scope = [{ alias: table, columns }];
    const returning = this.#chance(0.6) ? ` RETURNING ${this.#pick(['*', 'id', `${table}.*`, 'email, score'])}` : '';
    const where = ` WHERE ${this.#predicate(scope, 1)}`;
    const settable = columns.filter(({ name }) => name !== 'id');
    switch (this.#pick(['insert', 'insert', 'update', 'update', 'delete', 'conflict', 'select', 'from'])) {
      case 'insert': {
        const named = settable.filter(() => this.#chance(0.6));
        const list = ['id', ...named.map(({ name }) => name)].join(', ');
        const rows = Array.from({ length: this.#pick([1, 1, 2]) }, () => this.#row(named));
        return `INSERT INTO ${table} (${list}) VALUES ${rows.join(', ')}${returning}`;
      }
      case 'conflict': {
        const column = this.#pick(settable);
        const to = this.#chance(0.6) ? `excluded.${column.name}` : this.#constant(column);
        const row = `${this.#pick(['1', '2', '77'])}, ${this.#constant(column)}`;
        return `INSERT INTO ${table} (id, ${column.name}) VALUES (${row}) ON CONFLICT (id) DO UPDATE SET ${column.name} = ${to}${returning}`;
      }
      case 'update': {
        const column = this.#pick(settable);
        const to = this.#pick([this.#constant(column), 'NULL', 'DEFAULT', column.name]);
        return `UPDATE ${table} SET ${column.name} = ${to}${where}${returning}`;
      }
      case 'from': {
        const column = this.#pick(['email', 'score']);
        const other = table === 'customers' ? 'people' : 'customers';
        return `UPDATE ${table} SET ${column} = o.${column} FROM ${other} o WHERE o.id = ${table}.id${returning.replace(' RETURNING *', '')}`;
      }
      case 'select': {
        const column = this.#pick(['name', 'email', 'score']);
        this.#nextId += 10;
        return `INSERT INTO ${table} (id, ${column}) SELECT ${this.#nextId} + s.id, s.${column} FROM ${table} s WHERE s.id < 3${returning}`;
      }
      default:
        return `DELETE FROM ${table}${where}${returning}`;
    }
  }

  #row(columns: readonly Column[]): string {
    this.#nextId += 1;
    const values = columns.map((column) =>
      this.#chance(0.2) ? this.#pick(['NULL', 'DEFAULT']) : this.#constant(column),
    );
    return `(${[String(this.#nextId), ...values].join(', ')})`;
  }
}
