/**
 * Parse and Describe of a statement over npm `pg`, without running it: parameter types and result columns with their origin.
 * Source: PostgreSQL manual, 54.2.3 "Extended Query".
 */
import type { Connection, PoolClient, Submittable } from 'pg';

export type DescribedField = {
  readonly name: string;
  /** Origin: 0 for expressions and set operations, the view's own OID for a view's columns. */
  readonly tableOid: number;
  readonly attnum: number;
  readonly typeOid: number;
  readonly typlen: number;
  readonly typmod: number;
};

export type StatementDescription = {
  readonly parameterOids: readonly number[];
  /** Empty where the statement returns no rows. */
  readonly fields: readonly DescribedField[];
};

type RowDescription = {
  readonly fields: readonly {
    readonly name: string;
    readonly tableID: number;
    readonly columnID: number;
    readonly dataTypeID: number;
    readonly dataTypeSize: number;
    readonly dataTypeModifier: number;
  }[];
};

/** Rejects with the server's error as `pg` makes it. */
export function describeOn(client: PoolClient, sql: string, oids: readonly number[]): Promise<StatementDescription> {
  return new Promise((resolve, reject) => {
    client.query(new DescribeRequest(sql, oids, resolve, reject));
  });
}

/** One Parse, Describe, Sync on the unnamed statement; `pg` calls the `handle*` methods. */
class DescribeRequest implements Submittable {
  readonly #sql: string;
  readonly #oids: readonly number[];
  readonly #resolve: (description: StatementDescription) => void;
  readonly #reject: (error: Error) => void;
  #connection: Connection | undefined;
  #parameterOids: readonly number[] = [];
  #fields: readonly DescribedField[] = [];
  #settled = false;

  constructor(
    sql: string,
    oids: readonly number[],
    resolve: (description: StatementDescription) => void,
    reject: (error: Error) => void,
  ) {
    this.#sql = sql;
    this.#oids = oids;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  submit(connection: Connection): void {
    this.#connection = connection;
    // `pg` itself has no use for ParameterDescription and hands it to nobody.
    connection.once('parameterDescription', this.#takeParameters);
    // The declared types say string[]; the serializer writes them as int32 (pg-protocol/dist/serializer.js).
    const types = this.#oids as unknown as string[];
    connection.parse({ name: '', text: this.#sql, types }, true);
    connection.describe({ type: 'S', name: '' }, true);
    connection.sync();
  }

  readonly #takeParameters = (message: { readonly dataTypeIDs: readonly number[] }): void => {
    this.#parameterOids = [...message.dataTypeIDs];
  };

  handleRowDescription(message: RowDescription): void {
    this.#fields = message.fields.map((field) => ({
      name: field.name,
      tableOid: field.tableID,
      attnum: field.columnID,
      typeOid: field.dataTypeID,
      typlen: field.dataTypeSize,
      typmod: field.dataTypeModifier,
    }));
  }

  handleReadyForQuery(): void {
    this.#settle(() => this.#resolve({ parameterOids: this.#parameterOids, fields: this.#fields }));
  }

  handleError(error: Error): void {
    this.#settle(() => this.#reject(error));
  }

  #settle(how: () => void): void {
    this.#connection?.removeListener('parameterDescription', this.#takeParameters);
    if (this.#settled) return;
    this.#settled = true;
    how();
  }
}
