/** The objects the demo stores: a few small documents, and one of 64 MiB that is uploaded in parts. */
import { createHash } from 'node:crypto';
import type { Customer } from './people.ts';

export const BUCKET = 'documents';
export const LARGE_KEY = 'exports/ledger-2025.csv';
export const LARGE_BYTES = 64 * 1024 * 1024;

export type DemoObject = { readonly key: string; readonly type: string; readonly body: Uint8Array };

function letter(customer: Customer): string {
  return [
    `Dear ${customer.name},`,
    '',
    `your new card ${customer.cardNumber} is on its way to the address that we keep under national id ${customer.nationalId}.`,
    `We sent a confirmation to ${customer.email}.`,
    '',
  ].join('\n');
}

/** Small objects: three letters and a contact list, all made of canaries. */
export function makeDocuments(customers: readonly Customer[]): readonly DemoObject[] {
  const letters = customers.slice(0, 3).map((customer) => ({
    key: `letters/${customer.id}.txt`,
    type: 'text/plain; charset=utf-8',
    body: Buffer.from(letter(customer), 'utf8'),
  }));
  const rows = customers.map(({ id, name, email, nationalId }) => `${id},${name},${email},${nationalId}`);
  const contacts = {
    key: 'exports/contacts.csv',
    type: 'text/csv',
    body: Buffer.from(['id,name,email,national_id', ...rows].join('\n'), 'utf8'),
  };
  return [...letters, contacts];
}

/** Exactly LARGE_BYTES of ledger lines; every customer's card number and e-mail stands in them many times. */
export function makeLedger(customers: readonly Customer[]): Uint8Array {
  const body = Buffer.alloc(LARGE_BYTES, ' ');
  const lines = customers.map(({ cardNumber, email }) => `${cardNumber},${email}`);
  let offset = 0;
  for (let row = 0; offset < body.length; row += 1) {
    offset += body.write(`${String(row)},${lines[row % lines.length] ?? ''}\n`, offset, 'latin1');
  }
  return body;
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
