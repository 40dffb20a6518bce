/**
 * Statements that are asked again and again in the same words. On a connection of ours the server prepares each once: to plan what reads a
 * whole catalog takes it longer than to run it.
 */
import { createHash } from 'node:crypto';

export type Repeated = { readonly name: string; readonly text: string };

export function repeated(text: string): Repeated {
  return { name: `sealgate_${createHash('sha256').update(text).digest('hex').slice(0, 16)}`, text };
}

export const wordsOf = (sql: string | Repeated): string => (typeof sql === 'string' ? sql : sql.text);
