/** Errors about values: each carries the SQLSTATE PostgreSQL's own input function would answer, and never the value. */
import { SealgateError, type ErrorCatalogue, type ErrorCode } from '../../errors.ts';

export const VALUE_ERRORS = {
  ERR_POSTGRES_VALUE_INVALID: {
    says: 'invalid input for a sealed column of the named type',
    why: 'The value is not one PostgreSQL itself would take for the logical type, so there is nothing to seal. The SQLSTATE is the one the server would have answered; the value is left out so that it reaches no log.',
    fix: 'Send a value of the type the rule names, or correct the rule.',
  },
  ERR_POSTGRES_VALUE_UNSUPPORTED: {
    says: 'this way of writing the value is not supported for a sealed column',
    why: 'PostgreSQL would take it, but what it means depends on the server (the clock, time zone abbreviations, DateStyle) or on a format Sealgate does not evaluate exactly. It is refused, not guessed.',
    fix: 'Write the value in its plain form: dates as 2024-02-29, timestamps as 2024-02-29 12:00:00+00.',
  },
  ERR_POSTGRES_VALUE_FORMAT: {
    says: 'a value does not have the form that a format-preserving column keeps',
    why: 'It has characters outside of the rule’s alphabet, or so few that all of its kind could be tried. SQLSTATE 22P02; the value is left out.',
    fix: 'Send it without separators and blanks, or choose another alphabet, fewer kept characters, or another mode in the rule.',
  },
  ERR_POSTGRES_VALUE_CHECK: {
    says: 'a value violates a CHECK constraint of a sealed column, or of the domain that is its type',
    why: 'The server cannot check sealed values, so the proxy enforces what the rule (`check`) or the domain declares, before it seals. SQLSTATE 23514, as the server would answer.',
    fix: 'Send a value that the constraint allows.',
  },
  ERR_POSTGRES_VALUE_DAMAGED: {
    says: 'a sealed value opened, but does not hold a value of the type the rule names',
    why: 'The rule names another type than the one the value was sealed with.',
    fix: 'Give the rule back the type the column was filled with.',
  },
  ERR_POSTGRES_TYPE_UNKNOWN: {
    says: 'no such logical type',
    why: 'A column rule names a type that Sealgate does not seal.',
    fix: "Use one of the types listed, in PostgreSQL's spelling: varchar(20), numeric(10,2), timestamptz.",
  },
} as const satisfies ErrorCatalogue;

type ValueErrorCode = keyof typeof VALUE_ERRORS & ErrorCode;

/** Of a table, or of a domain. */
export type ViolatedConstraint = {
  readonly name: string;
  readonly schema: string;
  readonly table?: string;
  readonly dataType?: string;
};

/** A value that cannot be sealed, or printed. `sqlstate` goes to the client's ErrorResponse. */
export class ValueError extends SealgateError<ValueErrorCode> {
  readonly sqlstate: string;
  readonly hint: string | undefined;
  /** What ErrorResponse says of the constraint that was violated. */
  readonly constraint: ViolatedConstraint | undefined;

  constructor(code: ValueErrorCode, sqlstate: string, message: string, hint?: string, constraint?: ViolatedConstraint) {
    super(code, message);
    this.name = 'ValueError';
    this.sqlstate = sqlstate;
    this.hint = hint;
    this.constraint = constraint;
  }
}

/** SQLSTATEs that input functions answer (PostgreSQL manual, Appendix A). */
export const SQLSTATE = {
  protocol: '08P01',
  featureNotSupported: '0A000',
  stringTooLong: '22001',
  check: '23514',
  outOfRange: '22003',
  datetimeSyntax: '22007',
  datetimeRange: '22008',
  zoneRange: '22009',
  encoding: '22021',
  intervalField: '22015',
  parameter: '22023',
  bitLength: '22026',
  arraySubscript: '2202E',
  datatypeMismatch: '42804',
  limit: '54000',
  syntax: '22P02',
  binaryFormat: '22P03',
  unicodeEscape: '22P05',
  tooDeep: '54001',
  corrupted: 'XX001',
} as const;

export function invalidSyntax(typeName: string): ValueError {
  return new ValueError('ERR_POSTGRES_VALUE_INVALID', SQLSTATE.syntax, `invalid input syntax for type ${typeName}`);
}

export function invalidBinary(typeName: string): ValueError {
  return new ValueError(
    'ERR_POSTGRES_VALUE_INVALID',
    SQLSTATE.binaryFormat,
    `incorrect binary data format for type ${typeName}`,
  );
}

export function insufficientData(typeName: string): ValueError {
  const message = `insufficient data for a binary value of type ${typeName}`;
  return new ValueError('ERR_POSTGRES_VALUE_INVALID', SQLSTATE.protocol, message);
}

/** As the server's receive functions measure: too little is a broken message, too much a wrong format. */
export function checkBinaryLength(bytes: Uint8Array, wanted: number, typeName: string): void {
  if (bytes.length < wanted) throw insufficientData(typeName);
  if (bytes.length > wanted) throw invalidBinary(typeName);
}

export function outOfRange(typeName: string): ValueError {
  return new ValueError('ERR_POSTGRES_VALUE_INVALID', SQLSTATE.outOfRange, `value out of range for type ${typeName}`);
}

export function floatRange(typeName: string): ValueError {
  return new ValueError(
    'ERR_POSTGRES_VALUE_INVALID',
    SQLSTATE.outOfRange,
    `value is out of range for type ${typeName}`,
  );
}

export function intervalField(): ValueError {
  return new ValueError('ERR_POSTGRES_VALUE_INVALID', SQLSTATE.intervalField, 'interval field value out of range');
}

export function macOctet(): ValueError {
  const message = 'invalid octet value in a macaddr';
  return new ValueError('ERR_POSTGRES_VALUE_INVALID', SQLSTATE.outOfRange, message);
}

export function bitDigit(kind: 'binary' | 'hexadecimal'): ValueError {
  return new ValueError('ERR_POSTGRES_VALUE_INVALID', SQLSTATE.syntax, `a sign is not a valid ${kind} digit`);
}

export function tooManyDimensions(): ValueError {
  const message = 'number of array dimensions exceeds the maximum allowed (6)';
  return new ValueError('ERR_POSTGRES_VALUE_INVALID', SQLSTATE.limit, message);
}

export function arrayTooLarge(): ValueError {
  return new ValueError('ERR_POSTGRES_VALUE_INVALID', SQLSTATE.limit, 'array size exceeds the maximum allowed');
}

export function arrayBound(): ValueError {
  return new ValueError('ERR_POSTGRES_VALUE_INVALID', SQLSTATE.limit, 'an array lower bound is too large');
}

export function otherElements(): ValueError {
  const message = 'binary data has another array element type than the sealed column';
  return new ValueError('ERR_POSTGRES_VALUE_INVALID', SQLSTATE.datatypeMismatch, message);
}

export function unsupported(message: string, hint: string): ValueError {
  return new ValueError('ERR_POSTGRES_VALUE_UNSUPPORTED', SQLSTATE.featureNotSupported, message, hint);
}

/** `domain`: the qualified name of the domain whose constraint it is; else it is the table's. */
export function checkViolation(constraint: ViolatedConstraint, domain?: string): ValueError {
  const message =
    domain === undefined
      ? `new row for relation "${constraint.table ?? ''}" violates check constraint "${constraint.name}"`
      : `value for domain ${domain} violates check constraint "${constraint.name}"`;
  return new ValueError('ERR_POSTGRES_VALUE_CHECK', SQLSTATE.check, message, undefined, constraint);
}

export function damaged(typeName: string): ValueError {
  const message = `a sealed value does not hold a value of type ${typeName}`;
  return new ValueError('ERR_POSTGRES_VALUE_DAMAGED', SQLSTATE.corrupted, message);
}
