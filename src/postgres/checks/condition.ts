/**
 * The conditions of a CHECK that the proxy can evaluate: over one value, without the server.
 *
 * Invariant: a condition says of every value what PostgreSQL says of it; what cannot be said exactly is no condition (`parse-check.ts`
 * refuses it). NULL is never asked about: each leaf compares the value, so the whole would be NULL, which passes.
 */
import { unsupported } from '../types/errors.ts';
import type { Pattern } from './patterns.ts';

export type Comparison = '=' | '<>' | '<' | '<=' | '>' | '>=';

export type Condition =
  | { readonly type: 'and' | 'or'; readonly parts: readonly Condition[] }
  | { readonly type: 'not'; readonly part: Condition }
  /** `holds`: of the order of value and constant: negative, 0, positive. */
  | { readonly type: 'order'; readonly holds: Comparison; readonly compareTo: (canonical: Uint8Array) => number }
  | {
      readonly type: 'length';
      readonly holds: Comparison;
      readonly unit: 'characters' | 'bytes';
      readonly limit: number;
    }
  | { readonly type: 'pattern'; readonly pattern: Pattern };

export function evaluate(condition: Condition, canonical: Uint8Array): boolean {
  switch (condition.type) {
    case 'and':
      return condition.parts.every((part) => evaluate(part, canonical));
    case 'or':
      return condition.parts.some((part) => evaluate(part, canonical));
    case 'not':
      return !evaluate(condition.part, canonical);
    case 'order':
      return holds(condition.holds, condition.compareTo(canonical));
    case 'length':
      return holds(condition.holds, lengthOf(canonical, condition.unit) - condition.limit);
    case 'pattern':
      return matches(condition.pattern, Buffer.from(canonical.buffer, canonical.byteOffset, canonical.length));
  }
}

function holds(comparison: Comparison, order: number): boolean {
  switch (comparison) {
    case '=':
      return order === 0;
    case '<>':
      return order !== 0;
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
  }
}

function matches({ matches: matchesText, localeMatters }: Pattern, canonical: Buffer): boolean {
  if (localeMatters && canonical.some((byte) => byte > 0x7f)) {
    throw unsupported(
      'a CHECK constraint depends on what the locale of the database makes of characters beyond ASCII',
      'Write the constraint with the characters it means.',
    );
  }
  return matchesText(canonical.toString('utf8'));
}

function lengthOf(canonical: Uint8Array, unit: 'characters' | 'bytes'): number {
  if (unit === 'bytes') return canonical.length;
  let count = 0;
  // A continuation byte begins no character.
  for (const byte of canonical) if ((byte & 0xc0) !== 0x80) count++;
  return count;
}
