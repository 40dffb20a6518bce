/** Parses a policy document of the IAM language (field notes 3.2): JSON text in, statements ready to be asked out. */
import { malformed, shown } from './malformed.ts';
import { parseJson, type JsonValue } from './json-text.ts';
import { object, onlyNames, text } from './shape.ts';
import { parseStatement } from './parse-statement.ts';
import type { PolicyKind, Statement } from './statement.ts';

export type Policy = {
  readonly kind: PolicyKind;
  readonly id: string | undefined;
  readonly statements: readonly Statement[];
};

/** 32 KB, AWS KMS's quota for a key policy document. */
export const MAX_POLICY_BYTES = 32 * 1024;

const VERSIONS = ['2012-10-17', '2008-10-17'];

/** ERR_KEYS_POLICY_MALFORMED says what is wrong and in which statement. */
export function parsePolicy(source: string, kind: PolicyKind): Policy {
  if (Buffer.byteLength(source) > MAX_POLICY_BYTES) {
    throw malformed(`the policy is longer than ${MAX_POLICY_BYTES} bytes`);
  }
  if (!source.isWellFormed()) throw malformed('the policy is no well-formed text');
  const document = object(parseJson(source), 'the policy');
  onlyNames(document, ['Version', 'Id', 'Statement'], 'the policy');
  const id = document.has('Id') ? text(document.get('Id'), 'Id') : undefined;
  const version = document.has('Version') ? text(document.get('Version'), 'Version') : '2008-10-17';
  if (!VERSIONS.includes(version)) throw malformed(`Version: ${shown(version)} is none of ${VERSIONS.join(', ')}`);
  const given = document.get('Statement');
  if (given === undefined) throw malformed('the policy has no Statement');
  // A Map is no array, and Array.isArray does not narrow readonly arrays.
  const list = Array.isArray(given) ? (given as readonly JsonValue[]) : [given];
  if (list.length === 0) throw malformed('Statement: the list is empty');
  // Policy variables came with the second version of the language; in the first `${` is text.
  const variables = version === '2012-10-17';
  const statements = list.map((each, index) => parseStatement(each, { kind, variables, number: index + 1 }));
  checkSids(statements);
  return { kind, id, statements };
}

function checkSids(statements: readonly Statement[]): void {
  const seen = new Set<string>();
  for (const { sid } of statements) {
    if (sid === undefined) continue;
    if (seen.has(sid)) throw malformed(`two statements have the Sid ${shown(sid)}`);
    seen.add(sid);
  }
}
