/** Grants as rows of the store. */
import { decodeContext, encodeContext } from '../../../envelope/encryption-context.ts';
import { KeysError } from '../../errors.ts';
import { bytes, optionalText, text } from '../../stores/columns.ts';
import { parseRowName, rowName } from '../../regions/row-names.ts';
import { bucketOf } from '../../stores/grant-table.ts';
import type { RowChange } from '../../stores/key-database.ts';
import type { Row } from '../../stores/row-mac.ts';
import { isGrantOperation, type Grant, type GrantConstraint } from './grant.ts';

export function grantRow(grant: Grant): Row {
  const { constraint } = grant;
  const keyId = rowName(grant.keyId, grant.region);
  return {
    grant_id: grantIdBytes(grant.grantId),
    bucket: bucketOf(keyId, grant.grantee),
    key_id: keyId,
    grantee: grant.grantee,
    retiring: grant.retiring ?? null,
    operations: grant.operations.join(','),
    constraint_type: constraint?.type ?? null,
    constraint_context: constraint === undefined ? null : new Uint8Array(encodeContext(constraint.context)),
    source_arn: grant.sourceArn ?? null,
    name: grant.name,
    issuing_account: grant.issuingAccount,
    issued_by: grant.issuedBy,
    created_at: grant.createdAt,
  };
}

/** ERR_KEYS_STORE_VERSION for what a newer release wrote. */
export function parseGrantRow(row: Row): Grant {
  const operations = text(row, 'operations').split(',');
  if (!operations.every(isGrantOperation)) throw unknownValue('operations');
  const { name: keyId, region } = parseRowName(text(row, 'key_id'));
  return {
    grantId: Buffer.from(bytes(row, 'grant_id')).toString('hex'),
    keyId,
    region,
    grantee: text(row, 'grantee'),
    retiring: optionalText(row, 'retiring'),
    operations,
    constraint: parseConstraint(row),
    sourceArn: optionalText(row, 'source_arn'),
    name: text(row, 'name'),
    issuingAccount: text(row, 'issuing_account'),
    issuedBy: text(row, 'issued_by'),
    createdAt: text(row, 'created_at'),
  };
}

function parseConstraint(row: Row): GrantConstraint | undefined {
  const type = optionalText(row, 'constraint_type');
  if (type === undefined) return undefined;
  if (type !== 'equals' && type !== 'subset') throw unknownValue('constraint_type');
  return { type, context: decodeContext(bytes(row, 'constraint_context')) };
}

function unknownValue(column: string): KeysError {
  return new KeysError('ERR_KEYS_STORE_VERSION', `grants.${column} holds a value this release does not know`);
}

export function grantIdBytes(grantId: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(grantId, 'hex'));
}

export function putGrant(grant: Grant): RowChange {
  return { type: 'put', table: 'grants', row: grantRow(grant) };
}

export function deleteGrant({ grantId, keyId, region, grantee }: Grant): RowChange {
  const bucket = bucketOf(rowName(keyId, region), grantee);
  return { type: 'delete', table: 'grants', id: grantIdBytes(grantId), bucket };
}
