/** A column service that tells what it sealed, in every form that the value has. */
import type { ColumnService, ColumnSession } from '../../../src/postgres/columns/column-service.ts';
import { ValueError } from '../../../src/postgres/types/errors.ts';
import type { ValueSettings } from '../../../src/postgres/types/codec.ts';
import type { SealedColumn } from '../../../src/postgres/plan.ts';
import { decodeBinaryArray } from '../../../src/postgres/types/array/binary.ts';
import type { Canaries } from '../canaries.ts';

export function recordSealed(service: ColumnService, canaries: Canaries): ColumnService {
  return {
    principalOf: (role) => service.principalOf(role),
    open: (columns, use) => {
      const opened = service.open(columns, use);
      return opened instanceof Promise
        ? opened.then((session) => recording(session, canaries))
        : recording(opened, canaries);
    },
  };
}

function recording(session: ColumnSession, canaries: Canaries): ColumnSession {
  const record = (column: SealedColumn, sealed: Uint8Array, settings: ValueSettings): void => {
    for (const format of ['text', 'binary'] as const) {
      try {
        canaries.add(session.unseal(column, sealed, format, settings));
      } catch (error) {
        // What is only compared with may be beyond the column's type, and then has no form of it.
        if (!(error instanceof ValueError)) throw error;
      }
    }
  };
  return {
    seal: (column, value, format, settings, shape, options) => {
      const sealed = session.seal(column, value, format, settings, shape, options);
      if (shape === 'scalar') {
        canaries.add(value);
        record(column, sealed, settings);
      } else {
        for (const element of decodeBinaryArray(sealed).elements)
          if (element !== undefined) record(column, element, settings);
      }
      return sealed;
    },
    sealLiteral: (column, text, settings, options) => {
      const sealed = session.sealLiteral(column, text, settings, options);
      canaries.add(text);
      record(column, sealed, settings);
      return sealed;
    },
    unseal: (column, sealed, format, settings) => session.unseal(column, sealed, format, settings),
    has: (column, sealed) => session.has(column, sealed),
    fetch: (column, sealed) => session.fetch(column, sealed),
  };
}
