/** What is copied in tests of copies, and what is said of it. */
import { createHash } from 'node:crypto';
import { bytesWith } from './sealed.ts';
import { MIB } from './uploads.ts';

/** Each in the parts it is uploaded in; one: by a PUT. */
export const CONTENTS = {
  empty: [new Uint8Array()],
  small: [bytesWith('CANARY', 1000)],
  large: [bytesWith('CANARY', 300_000)],
  parts: [bytesWith('CANARY', 5 * MIB + 3), bytesWith('CANARY', 70_000)],
} as const;
export type Content = keyof typeof CONTENTS;

export const lengthOf = (content: Content): number => CONTENTS[content].reduce((sum, part) => sum + part.length, 0);

export const SAID = { ContentType: 'text/old', CacheControl: 'max-age=1', Metadata: { old: '1' } } as const;
export const REPLACED = { ContentType: 'text/new', Metadata: { new: '2' } } as const;

/** SHA-256 of all, in hex. */
export function sha(...bytes: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const one of bytes) hash.update(one);
  return hash.digest('hex');
}
