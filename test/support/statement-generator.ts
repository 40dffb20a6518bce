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
  readonly #isWide: boolean;

  /** `wide`: MERGE, views that are written, and rows of VALUES and unnest() as well; other statements than without it. */
  constructor(seed: number, shapes: 'narrow' | 'wide' = 'narrow') {
    this.#state = seed * 7919 + 1;
    this.#isWide = shapes === 'wide';
  }

  next(): GeneratedStatement {
    this.#values = [];
    this.#withParameters = this.#chance(0.5);
    const changes = this.#chance(0.3);
    const sql = this.#isWide && this.#chance(0.6) ? this.#rows(changes) : changes ? this.#change() : this.#query(2);
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

  /** Statements that bring rows along: to compare with a column, or to store in it. */
  #rows(changes: boolean): string {
    const table = this.#pick(['customers', 'people']);
    const columns = (TABLES[table] ?? []).filter(({ name }) => ['email', 'score', 'name', 'note'].includes(name));
    const column = this.#pick(columns);
    const { name } = column;
    const isView = changes && this.#chance(0.1);
    if (isView) return this.#viewUpdate();
    const source = this.#sourceOfRows(column);
    if (!changes) {
      const join = this.#pick(['JOIN', 'LEFT JOIN', 'RIGHT JOIN']);
      const on = this.#pick([`v.x = t.${name}`, `v.x = t.${name} AND v.id = t.id`]);
      return `SELECT t.id, t.${name}${this.#pick(['', ', v.id', ', v.x'])} FROM ${table} t ${join} ${source} ON ${on}`;
    }
    const returning = this.#pick(['', ' RETURNING *', ` RETURNING ${name}`]);
    this.#nextId += 10;
    const merged = this.#pick([`t.${name} = v.x`, `t.id = v.id AND t.${name} IS DISTINCT FROM v.x`]);
    return this.#pick([
      () =>
        `UPDATE ${table} t SET ${name} = ${this.#pick(['v.x', `coalesce(v.x, t.${name})`])} FROM ${source} WHERE v.id = t.id`,
      () => `INSERT INTO ${table} (id, ${name}) SELECT ${this.#nextId} + v.id, v.x FROM ${source}${returning}`,
      () =>
        `INSERT INTO ${table} (id, ${name}) SELECT v.id, v.x FROM ${source} ON CONFLICT (id) DO UPDATE SET ${name} = excluded.${name}${returning}`,
      () => `DELETE FROM ${table} t USING ${source} WHERE t.${name} = v.x`,
      () => `MERGE INTO ${table} t USING ${source} ON ${merged} WHEN MATCHED THEN ${this.#pick(['DELETE', `UPDATE SET ${name} = v.x`])}
        WHEN NOT MATCHED THEN ${this.#pick(['DO NOTHING', `INSERT (id, ${name}) VALUES (${this.#nextId} + v.id, v.x)`])}`,
      () => `WITH s AS (SELECT * FROM ${source}) UPDATE ${table} t SET ${name} = s.x FROM s WHERE s.id = t.id`,
    ])();
  }

  #viewUpdate(): string {
    const to = this.#constant({ name: 'email', type: 'text', searched: true });
    return `UPDATE v SET ${this.#pick(['email', 'note'])} = ${to} WHERE id = 2${this.#pick(['', ' RETURNING *'])}`;
  }

  #sourceOfRows(column: Column): string {
    const cast = { text: 'text', int: 'int', numeric: 'numeric', date: 'date', bool: 'bool' }[column.type];
    const value = (): string =>
      this.#pick([() => this.#constant(column), () => `${this.#constant(column)}::${cast}`, () => 'NULL'])();
    if (this.#chance(0.25)) {
      this.#values.push(['1', '2', '3'], [this.#pick(constantsFor(column)), null, this.#pick(constantsFor(column))]);
      return `unnest($${this.#values.length - 1}::int[], $${this.#values.length}::${cast}[]) AS v (id, x)`;
    }
    if (this.#chance(0.3)) return `(SELECT 1 AS id, ${value()} AS x UNION ALL SELECT 2, ${value()}) v`;
    return `(VALUES (1, ${value()}), (2, ${value()})) v (id, x)`;
  }

  #row(columns: readonly Column[]): string {
    this.#nextId += 1;
    const values = columns.map((column) =>
      this.#chance(0.2) ? this.#pick(['NULL', 'DEFAULT']) : this.#constant(column),
    );
    return `(${[String(this.#nextId), ...values].join(', ')})`;
  }
}
