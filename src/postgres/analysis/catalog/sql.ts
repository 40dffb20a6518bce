/**
 * The two questions asked of pg_catalog: what is there (one statement, so one snapshot), and whether it changed.
 *
 * Service connections search pg_catalog alone, so unqualified names here are the server's own.
 */

import { COLUMNS_TABLE, DOMAINS_TABLE, GUARD_DOMAIN_QUALIFIED } from '../../service/names.ts';
import { catalogFactsSql } from '../facade/catalog-facts.ts';
import { MADE_SQL, NOTHING_MADE_SQL } from './made.ts';
import { CALLS, USES } from './calls-sql.ts';

/** Namespaces that hold no user data, or are ours. */
const OURS = `(n.nspname IN ('pg_catalog', 'information_schema', 'sealgate') OR n.nspname LIKE 'pg\\_toast%' OR n.nspname LIKE 'sealgate\\_shadow\\_%')`;

/**
 * Relations that others have locked, or wait to lock, against every reader. The server reads a view's definition under a lock on what the view
 * names, and would wait for them: those of such views are left out.
 */
const LOCKED = `locked AS MATERIALIZED (SELECT l.relation FROM pg_locks l WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock'
    AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()) AND l.pid <> pg_backend_pid())`;
const isUnlocked = (rules: string): string => `NOT EXISTS (SELECT FROM pg_rewrite r
    JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
    JOIN locked ON locked.relation = d.refobjid WHERE ${rules})`;
/** Of a routine whose body could not be read: it may run and set anything. */
export const UNREAD_BODY = 'AS $$ SET U&" $$';
/** One that is locked in the next moment is waited for no longer than this; then it is known to be. */
const SHORT_WAIT = `set_config('lock_timeout', '1s', true)`;

/**
 * Types in which rows of a relation are, however deep: its own, arrays, domains, ranges and composite types of such. What columns of relations hold is
 * those relations' matter.
 */
const ROW_TYPES = `part(whole, type) AS (SELECT t.oid, t.typbasetype FROM pg_type t WHERE t.typtype = 'd'
    UNION ALL SELECT t.typarray, t.oid FROM pg_type t WHERE t.typarray <> 0
    UNION ALL SELECT r.rngtypid, r.rngsubtype FROM pg_range r
    UNION ALL SELECT (to_jsonb(r)->>'rngmultitypid')::oid, r.rngtypid FROM pg_range r WHERE to_jsonb(r)->>'rngmultitypid' IS NOT NULL
    UNION ALL SELECT c.reltype, a.atttypid FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid WHERE c.relkind = 'c' AND a.attnum > 0 AND NOT a.attisdropped),
  row_type(type, relation) AS (SELECT c.reltype, c.oid FROM pg_class c WHERE c.oid >= 16384 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
    UNION SELECT part.whole, r.relation FROM row_type r JOIN part ON part.type = r.type)`;

/**
 * Whether a routine may be called with a row alone, which is also written as a column of it, `t.routine`. A row becomes what its type is, a domain over that,
 * what any value becomes, and what a cast of somebody's makes of it unasked.
 */
const TAKES_ROW = `(p.pronargs - p.pronargdefaults <= 1 AND EXISTS (SELECT FROM pg_type t WHERE t.oid = p.proargtypes[0] AND (t.typtype IN ('c', 'p', 'd')
    OR EXISTS (SELECT FROM pg_cast k JOIN pg_type s ON s.oid = k.castsource WHERE k.casttarget = t.oid AND k.castcontext = 'i' AND s.typtype = 'c'))))`;

/** Relations with triggers for TRUNCATE, and those whose TRUNCATE ... CASCADE comes to them, whatever their foreign keys do otherwise. */
const EMPTIED = `emptied(relation) AS (SELECT t.tgrelid FROM pg_trigger t WHERE NOT t.tgisinternal AND (t.tgtype & 32) <> 0
    UNION SELECT k.confrelid FROM emptied e JOIN pg_constraint k ON k.conrelid = e.relation AND k.contype = 'f')`;

const snapshotSql = (facts: string, made: string): string => `
WITH RECURSIVE ${LOCKED}, ${ROW_TYPES}, ${CALLS}, ${EMPTIED}
SELECT json_build_object(
  'waits', ${SHORT_WAIT},
  'searchPath', current_schemas(true),
  'facts', ${facts},
  'made', ${made},
  'guardOperators', EXISTS (SELECT FROM pg_operator o WHERE o.oid >= 16384 AND o.oprname IN ('=', '<>')
    AND to_regtype('${GUARD_DOMAIN_QUALIFIED}')::oid IN (o.oprleft, o.oprright)),
  'relations', (SELECT coalesce(json_agg(json_build_object(
      'oid', c.oid::int8, 'schema', n.nspname, 'schemaOid', n.oid::int8, 'name', c.relname, 'kind', c.relkind,
      'columns', (SELECT coalesce(json_agg(json_build_array(a.attname, a.attnum, format_type(a.atttypid, a.atttypmod), a.attgenerated <> '') ORDER BY a.attnum), '[]')
                  FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
      'keys', (SELECT coalesce(json_agg(json_build_array(k.conname, pg_get_constraintdef(k.oid)) ORDER BY k.conname), '[]')
               FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype IN ('p', 'u')),
      'definition', CASE WHEN c.relkind = 'v' AND ${isUnlocked('r.ev_class = c.oid')} THEN pg_get_viewdef(c.oid) END)), '[]')
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT ${OURS}),
  'inherits', (SELECT coalesce(json_agg(json_build_array(i.inhrelid::int8, i.inhparent::int8)), '[]') FROM pg_inherits i),
  'rules', (SELECT coalesce(json_agg(DISTINCT jsonb_build_array(r.ev_class::int8, d.refobjid::int8, r.rulename <> '_RETURN')), '[]')
    FROM pg_rewrite r JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
    WHERE r.ev_class >= 16384),
  'rowColumns', (SELECT coalesce(json_agg(json_build_array(a.attrelid::int8, a.attname, r.relation::int8)), '[]')
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN row_type r ON r.type = a.atttypid
    WHERE c.relkind IN ('r', 'p', 'f') AND c.oid >= 16384 AND a.attnum > 0 AND NOT a.attisdropped),
  'rowTypes', (SELECT coalesce(json_agg(json_build_array(t.typname, r.relation::int8)), '[]')
    FROM row_type r JOIN pg_type t ON t.oid = r.type LEFT JOIN pg_class c ON c.oid = t.typrelid
    WHERE t.typtype IN ('d', 'r', 'm') OR c.relkind = 'c'),
  'triggers', (SELECT coalesce(json_agg(json_build_array(t.tgrelid::int8, t.tgfoid::int8)), '[]') FROM pg_trigger t WHERE NOT t.tgisinternal),
  'calls', (SELECT coalesce(json_agg(json_build_array(relation::int8, routine::int8, reads)), '[]') FROM call),
  'uses', (SELECT coalesce(json_agg(json_build_array(u.kind, u.schema, u.name, u.routine::int8)), '[]') FROM (${USES}) u),
  'cascades', (SELECT coalesce(json_agg(DISTINCT jsonb_build_array(k.confrelid::int8, k.conrelid::int8)), '[]') FROM pg_constraint k
    WHERE k.contype = 'f' AND (k.confdeltype IN ('c', 'n', 'd') OR k.confupdtype IN ('c', 'n', 'd')
      OR k.conrelid IN (SELECT emptied.relation FROM emptied))),
  'routines', (SELECT coalesce(json_agg(json_build_object(
      'oid', p.oid::int8, 'schema', n.nspname, 'name', p.proname, 'language', CASE WHEN p.prokind = 'a' THEN 'sql' ELSE l.lanname END,
      'definition', CASE WHEN p.prokind = 'a' THEN (SELECT concat_ws(' ', a.aggtransfn, a.aggfinalfn, a.aggcombinefn, a.aggserialfn, a.aggdeserialfn, a.aggmtransfn, a.aggminvtransfn, a.aggmfinalfn)
          FROM pg_aggregate a WHERE a.aggfnoid = p.oid)
        WHEN EXISTS (SELECT FROM pg_depend d JOIN locked ON locked.relation = d.refobjid
          WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.refclassid = 'pg_class'::regclass) THEN '${UNREAD_BODY}'
        WHEN l.lanname NOT IN ('c', 'internal') THEN pg_get_functiondef(p.oid) ELSE '' END,
      'takesRow', ${TAKES_ROW})), '[]')
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
    WHERE NOT ${OURS})
) AS snapshot`;

export const SNAPSHOT_SQL = snapshotSql(catalogFactsSql(GUARD_DOMAIN_QUALIFIED), NOTHING_MADE_SQL);
/** Without what is the server's own, which no transaction of a client changes, and its role may have no right to ask for. */
export const OWN_SNAPSHOT_SQL = snapshotSql('NULL::json', MADE_SQL);

/**
 * One number over the row versions of everything above, of operators, of the columns' identities (`check --rebind` changes those alone), and of the roles and
 * whose members they are, on which it depends which schemas of its path a session searches; tables of
 * other sessions' temporary schemas left out, and identities of columns that are not there: an open transaction may have made them, and what it
 * holds locked stands in the way of another look.
 *
 * `contents` has of relations what they are instead of their row versions, which TRUNCATE, CLUSTER and VACUUM FULL renew as well.
 */
export const FINGERPRINT_SQL = `
WITH n AS (SELECT n.oid, n.nspname, n.xmin FROM pg_namespace n WHERE NOT ${OURS} AND n.nspname NOT LIKE 'pg\\_temp%'),
     b AS (SELECT b.id, b.xmin, b.domain_name FROM ${COLUMNS_TABLE} b
       WHERE EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = b.relation AND a.attnum = b.attnum)),
     c AS (SELECT c.oid, c.xmin, concat_ws(' ', quote_ident(c.relname), c.relnamespace, c.relkind, c.reltype, c.relowner, coalesce(c.relacl::text, '-'),
         coalesce(c.reloptions::text, '-'), c.relispartition, c.relrowsecurity, c.relforcerowsecurity) AS contents FROM pg_class c JOIN n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c'))
SELECT coalesce(sum(hashtextextended(row_version, 0)::numeric), 0)::text || '/' || count(*)::text AS fingerprint,
  coalesce(sum(hashtextextended(coalesce(contents, row_version), 0)::numeric), 0)::text || '/' || count(*)::text AS contents FROM (
  SELECT 'c' || oid::text || ':' || xmin::text AS row_version, 'c' || oid::text || ':' || contents AS contents FROM c
  UNION ALL SELECT version, NULL FROM (
  SELECT 'n' || oid::text || ':' || xmin::text AS version FROM n
  UNION ALL SELECT 'a' || a.attrelid::text || '.' || a.attnum::text || ':' || a.xmin::text FROM pg_attribute a JOIN c ON c.oid = a.attrelid WHERE a.attnum > 0
  UNION ALL SELECT 'i' || i.inhrelid::text || '.' || i.inhparent::text || ':' || i.xmin::text FROM pg_inherits i
  UNION ALL SELECT 'r' || r.oid::text || ':' || r.xmin::text FROM pg_rewrite r JOIN c ON c.oid = r.ev_class
  UNION ALL SELECT 't' || t.oid::text || ':' || t.xmin::text FROM pg_trigger t WHERE NOT t.tgisinternal
  UNION ALL SELECT 'k' || k.oid::text || ':' || k.xmin::text FROM pg_constraint k JOIN c ON c.oid = k.conrelid
  UNION ALL SELECT 'd' || d.oid::text || ':' || d.xmin::text FROM pg_attrdef d JOIN c ON c.oid = d.adrelid
  UNION ALL SELECT 'p' || p.oid::text || ':' || p.xmin::text FROM pg_proc p JOIN n ON n.oid = p.pronamespace
  UNION ALL SELECT 'y' || t.oid::text || ':' || t.xmin::text FROM pg_type t JOIN n ON n.oid = t.typnamespace WHERE t.typtype IN ('d', 'e', 'r')
  UNION ALL SELECT 'l' || e.oid::text || ':' || e.xmin::text FROM pg_enum e
  UNION ALL SELECT 'x' || k.oid::text || ':' || k.xmin::text FROM pg_constraint k WHERE k.contypid <> 0 AND k.oid >= 16384
  UNION ALL SELECT 'q' || q.oid::text || ':' || q.xmin::text FROM pg_operator q WHERE q.oid >= 16384
  UNION ALL SELECT 'z' || z.indexrelid::text || ':' || z.xmin::text FROM pg_index z JOIN c ON c.oid = z.indrelid
    WHERE z.indexprs IS NOT NULL OR z.indpred IS NOT NULL OR EXISTS (SELECT FROM unnest(z.indclass) AS class(oid) WHERE class.oid >= 16384)
  UNION ALL SELECT 'f' || f.oid::text || ':' || f.xmin::text FROM pg_amop f WHERE f.oid >= 16384
  UNION ALL SELECT 'g' || g.oid::text || ':' || g.xmin::text FROM pg_amproc g WHERE g.oid >= 16384
  UNION ALL SELECT 's' || p.oid::text || ':' || p.xmin::text FROM pg_policy p
  UNION ALL SELECT 'w' || w.oid::text || ':' || w.xmin::text FROM pg_cast w WHERE w.oid >= 16384
  UNION ALL SELECT 'u' || r.oid::text || ':' || r.rolname || r.rolsuper::text FROM pg_roles r
  UNION ALL SELECT 'm' || m.roleid::text || '.' || m.member::text || ':' || m.xmin::text FROM pg_auth_members m
  UNION ALL SELECT 'o' || b.id::text || ':' || b.xmin::text FROM b
  UNION ALL SELECT 'e' || e.id::text || ':' || e.xmin::text FROM ${DOMAINS_TABLE} e WHERE e.name IN (SELECT b.domain_name FROM b)
) AS other) AS versions`;
