/** All cases: a file for each kind of operation. */
import type { Case } from './case.ts';
import { BUCKET_CASES } from './cases/buckets.ts';
import { CONDITION_CASES } from './cases/conditions.ts';
import { COPY_CASES } from './cases/copies.ts';
import { DELETE_CASES } from './cases/deletes.ts';
import { FORM_CASES } from './cases/forms.ts';
import { LIST_CASES } from './cases/lists.ts';
import { MULTIPART_CASES } from './cases/multipart.ts';
import { OBJECT_CASES } from './cases/objects.ts';
import { SUBRESOURCE_CASES } from './cases/subresources.ts';

export const CASES: readonly Case[] = [
  ...OBJECT_CASES,
  ...CONDITION_CASES,
  ...COPY_CASES,
  ...DELETE_CASES,
  ...FORM_CASES,
  ...MULTIPART_CASES,
  ...SUBRESOURCE_CASES,
  ...LIST_CASES,
  ...BUCKET_CASES,
];
