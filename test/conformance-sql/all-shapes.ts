import type { Shape } from './case.ts';
import { ORMS } from './cases/orms.ts';
import { PARTITIONS } from './cases/partitions.ts';
import { QUERIES } from './cases/queries.ts';
import { READING } from './cases/reading.ts';
import { SESSIONS } from './cases/sessions.ts';
import { WRITING } from './cases/writing.ts';

export const SHAPES: readonly Shape[] = [...READING, ...QUERIES, ...WRITING, ...PARTITIONS, ...SESSIONS, ...ORMS];
