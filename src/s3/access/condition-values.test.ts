import { expect, test } from 'vitest';
import { S3_CONDITION_KEYS } from '../../keys/access/policy/s3-conditions.ts';
import { conditionValues } from './condition-values.ts';

/** Of the realm, and not of the request (`keys/access/s3-authorizer.ts`). */
const OF_THE_REALM = 'resourceaccount';

test('A policy may name just the condition keys whose values the gateway says', () => {
  const names = [...S3_CONDITION_KEYS, 'x-amz-object-lock-mode', 'x-amz-object-lock-retain-until-date'];
  const everything = Object.fromEntries([...names, 'x-amz-object-lock-legal-hold'].map((name) => [name, name]));
  const query = new Map([...Object.entries(everything), ['versionId', 'versionId']]);
  const shown = conditionValues({ query, headers: everything }, { type: 'POST', ageMs: 1 });
  expect([...Object.keys(shown), OF_THE_REALM].sort()).toEqual([...S3_CONDITION_KEYS].sort());
});
