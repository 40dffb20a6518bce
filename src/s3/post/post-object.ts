/**
 * PostObject: a browser's form, whose fields carry policy and signature, and whose file is stored as PutObject would store it: by the same
 * rules, rights and operations. The fields must be read before it is known who asks, so their length is bounded, and no more is read until
 * signature, policy, rights and rules have allowed it.
 */
import { callerOf } from '../access/caller.ts';
import { permissionsFor } from '../access/permissions.ts';
import { PulledBytes } from '../bodies/pulled-bytes.ts';
import { planBody } from '../bodies/body-plan.ts';
import { VerifyingBody } from '../bodies/verifying-body.ts';
import { decide } from '../decide.ts';
import { addressedUrl } from '../edge/addressed-url.ts';
import type { Judges, RequestHead, Understood } from '../edge/understood.ts';
import { S3Error } from '../errors.ts';
import type { S3Request } from '../operation.ts';
import { operationHeaders, refuseReservedNames } from '../request/headers.ts';
import { checked, type Place } from '../request/target.ts';
import { readForm, type Form } from './form.ts';
import { formAnswer } from './form-answer.ts';
import { formHeaders } from './form-headers.ts';
import { checkFields, checkLength, parseFormPolicy } from './policy.ts';

type Connection = Pick<S3Request, 'client' | 'signal'> & {
  /** Takes the memory that an upload needs, for as long as the exchange lasts. */
  readonly admit: () => Promise<void>;
};

/** Errors: those of forms, signatures, policies, rights and rules. `seen` is told the caller as soon as it is known. */
export async function understandForm(
  head: RequestHead,
  judges: Judges,
  connection: Connection,
  seen: { principal?: string },
): Promise<Understood> {
  const bytes = new PulledBytes(head.bytes);
  try {
    return await understandFields(await readForm(head.headers, bytes), head, judges, connection, seen);
  } catch (error) {
    bytes.release();
    throw error;
  }
}

async function understandFields(
  form: Form,
  head: RequestHead,
  judges: Judges,
  connection: Connection,
  seen: { principal?: string },
): Promise<Understood> {
  const { incoming, bucket, requestId } = head;
  const { gateway, access } = judges;
  const signed = judges.authenticate.form(form.fields);
  if (signed === undefined) throw new S3Error('ERR_S3_ACCESS_DENIED');
  seen.principal = signed.key.principal;
  const place = placeOf(bucket, form.fields);
  const policy = parseFormPolicy(form.fields.get('policy') ?? '');
  checkFields(policy, form.fields, bucket, gateway.now());
  const headers = formHeaders(form.fields);
  refuseReservedNames(headers);
  const query = new Map<string, string>();
  const caller = callerOf({ ...signed, type: 'form' }, { incoming, query, headers, requestId }, { ...gateway, access });
  const operation = 'PutObject';
  caller.rights?.demand(permissionsFor({ ...place, operation, query, headers }));
  const limited = caller.rights !== undefined;
  const decision = decide({ ...place, operation, headers, limited }, gateway, judges.operations);
  const { admit, ...rest } = connection;
  await admit();
  const file = await form.file();
  checkLength(policy, file.length);
  const plan = planBody({ ...headers, 'content-length': String(file.length) }, signed, operation);
  const body = new VerifyingBody(file.bytes, plan);
  return {
    decision,
    request: {
      ...{ operation, requestId, method: 'PUT', ...place, query, caller, body, ...rest },
      headers: operationHeaders(headers),
      secure: 'encrypted' in incoming.socket,
      url: addressedUrl(incoming),
      rule: decision.rule,
    },
    inItsForm: (stored) => formAnswer(stored, form.fields, place, incoming),
  };
}

function placeOf(bucket: string, fields: ReadonlyMap<string, string>): Place {
  const key = fields.get('key');
  if (key === undefined)
    throw new S3Error(
      'ERR_S3_INVALID_ARGUMENT',
      "Bucket POST must contain a field named 'key'. If it is specified, please check the order of the fields.",
      { details: { ArgumentName: 'key', ArgumentValue: '' } },
    );
  if (key === '') throw new S3Error('ERR_S3_INVALID_ARGUMENT', 'User key must have a length greater than 0.');
  return checked({ bucket, key });
}
