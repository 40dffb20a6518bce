/** Parts of the question what is there (`sql.ts`) that say which functions run although no statement calls them by their names. */

/** PL/pgSQL, SQL and the like: what is compiled cannot be read. */
const readable = (routine: string): string =>
  `EXISTS (SELECT FROM pg_proc body JOIN pg_language l ON l.oid = body.prolang WHERE body.oid = ${routine} AND l.lanname NOT IN ('c', 'internal'))`;

/** Of `rows`, with a class, an object and a tree each: what it calls, 0 for set_config and pg_settings, which are the server's own. */
const calledBy = (rows: string, columns: string): string => `SELECT ${columns}, d.refobjid FROM ${rows} x
      JOIN pg_depend d ON d.classid = x.class AND d.objid = x.object AND d.refclassid = 'pg_proc'::regclass
    UNION SELECT ${columns}, o.oprcode::oid FROM ${rows} x
      JOIN pg_depend d ON d.classid = x.class AND d.objid = x.object AND d.refclassid = 'pg_operator'::regclass JOIN pg_operator o ON o.oid = d.refobjid
    UNION SELECT ${columns}, 0 FROM ${rows} x WHERE strpos(x.tree, ':funcid ' || 'set_config(text,text,boolean)'::regprocedure::oid || ' ') > 0
      OR strpos(x.tree, ':relid ' || 'pg_settings'::regclass::oid || ' ') > 0`;

/**
 * Functions that a relation's own texts call: when it is read, of a view's query, policies (those of UPDATE hold for SELECT ... FOR UPDATE), and operator classes by
 * which rows and partitions are looked up; when it is written, of policies of INSERT and DELETE, rules, DEFAULTs (its columns' domains' as well), CHECKs, triggers,
 * foreign keys' operators, indexes and partition keys. `reads` is NULL for policies of a table whose row security is not enabled.
 *
 * `type_use`: what values of a type run, however deep in others: CHECKs of domains, operator classes of ranges and those by which values sort, and casts to it and from it (`r`: when it is read). `n`: where it is named alone.
 * A cast from a type of the server's own is told by its target alone: nearly every table has a column of text.
 */
export const CALLS = `text_of(relation, reads, class, object, tree) AS (
    SELECT r.ev_class, r.rulename = '_RETURN', 'pg_rewrite'::regclass, r.oid, r.ev_action::text || r.ev_qual::text FROM pg_rewrite r WHERE r.ev_class >= 16384
    UNION ALL SELECT d.adrelid, false, 'pg_attrdef'::regclass, d.oid, d.adbin::text FROM pg_attrdef d
    UNION ALL SELECT k.conrelid, false, 'pg_constraint'::regclass, k.oid, k.conbin::text FROM pg_constraint k WHERE k.contype = 'c' AND k.conrelid >= 16384
    UNION ALL SELECT side.relation, false, 'pg_constraint'::regclass, k.oid, '' FROM pg_constraint k, unnest(ARRAY[k.conrelid, k.confrelid]) AS side(relation)
      WHERE k.contype IN ('f', 'x') AND side.relation >= 16384
    UNION ALL SELECT p.polrelid, CASE WHEN c.relrowsecurity THEN p.polcmd NOT IN ('a', 'd') END, 'pg_policy'::regclass, p.oid, concat(p.polqual::text, p.polwithcheck::text)
      FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
    UNION ALL SELECT t.tgrelid, false, 'pg_trigger'::regclass, t.oid, t.tgqual::text FROM pg_trigger t WHERE NOT t.tgisinternal
    UNION ALL SELECT i.indrelid, false, 'pg_class'::regclass, i.indexrelid, concat(i.indexprs::text, i.indpred::text) FROM pg_index i
      WHERE i.indrelid >= 16384 AND (i.indexprs IS NOT NULL OR i.indpred IS NOT NULL)
    UNION ALL SELECT p.partrelid, false, 'pg_class'::regclass, p.partrelid, p.partexprs::text FROM pg_partitioned_table p WHERE p.partexprs IS NOT NULL
    UNION ALL SELECT a.attrelid, false, 'pg_type'::regclass, t.oid, t.typdefaultbin::text FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
      WHERE a.attrelid >= 16384 AND t.typtype = 'd' AND t.typdefaultbin IS NOT NULL),
  type_text(type, class, object, tree) AS (SELECT k.contypid, 'pg_constraint'::regclass, k.oid, k.conbin::text FROM pg_constraint k WHERE k.contypid <> 0 AND k.oid >= 16384),
  own_use(type, how, routine) AS (${calledBy('type_text', "x.type, 'w'")}
    UNION SELECT k.casttarget, CASE k.castcontext WHEN 'e' THEN 'n' ELSE 'w' END, k.castfunc FROM pg_cast k WHERE k.castfunc >= 16384 AND ${readable('k.castfunc')}
    UNION SELECT CASE WHEN k.castsource < 16384 THEN k.casttarget ELSE k.castsource END, 'r', k.castfunc FROM pg_cast k
      WHERE k.castfunc >= 16384 AND CASE WHEN k.castsource < 16384 THEN k.castcontext = 'i' AND k.casttarget >= 16384 ELSE k.castcontext <> 'e' END
        AND ${readable('k.castfunc')}
    UNION SELECT sorted.type, 'r', g.amproc::oid FROM (SELECT r.rngtypid, r.rngsubopc FROM pg_range r UNION ALL SELECT o.opcintype, o.oid FROM pg_opclass o WHERE o.opcdefault)
        AS sorted(type, class) JOIN pg_opclass o ON o.oid = sorted.class JOIN pg_amproc g ON g.amprocfamily = o.opcfamily
      WHERE g.oid >= 16384 AND ${readable('g.amproc::oid')}),
  holder(whole, type) AS (SELECT part.whole, part.type FROM part
    UNION ALL SELECT c.reltype, a.atttypid FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
      WHERE c.oid >= 16384 AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND a.attnum > 0 AND NOT a.attisdropped),
  type_use(type, how, routine) AS (SELECT u.type, u.how, u.routine FROM own_use u
    UNION SELECT h.whole, u.how, u.routine FROM type_use u JOIN holder h ON h.type = u.type WHERE h.whole <> 0),
  header(routine, type) AS (SELECT p.oid, unnest(p.proargtypes::oid[] || p.prorettype || p.proallargtypes) FROM pg_proc p WHERE p.oid >= 16384),
  default_text(class, object, tree) AS (SELECT 'pg_proc'::regclass, p.oid, p.proargdefaults::text FROM pg_proc p WHERE p.oid >= 16384 AND p.proargdefaults IS NOT NULL),
  call(relation, reads, routine) AS (${calledBy('text_of', 'x.relation, x.reads')}
    UNION SELECT keyed.relation, true, g.amproc::oid FROM (SELECT i.indrelid, i.indclass FROM pg_index i UNION ALL SELECT p.partrelid, p.partclass FROM pg_partitioned_table p)
        AS keyed(relation, classes) JOIN pg_opclass o ON o.oid = ANY (keyed.classes) JOIN pg_amproc g ON g.amprocfamily = o.opcfamily
      WHERE g.oid >= 16384 AND ${readable('g.amproc::oid')}
    UNION SELECT a.attrelid, u.how = 'r', u.routine FROM type_use u JOIN pg_attribute a ON a.atttypid = u.type
      WHERE u.how <> 'n' AND a.attrelid >= 16384 AND a.attnum > 0)`;

/**
 * Operators, types and routines by their names, and a function that using them runs. What sorts and groups does so by operators that it does not name; routines do
 * by what they take and give back, and by DEFAULTs of what they take, whether or not their bodies can be read.
 */
export const USES = `SELECT 'operator' AS kind, n.nspname AS schema, o.oprname AS name, o.oprcode::oid AS routine FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace
      WHERE o.oid >= 16384 AND ${readable('o.oprcode::oid')}
    UNION SELECT 'operator', 'pg_catalog', implied.name, f.routine FROM (SELECT g.amproc::oid FROM pg_amproc g WHERE g.oid >= 16384
        UNION SELECT o.oprcode::oid FROM pg_amop a JOIN pg_operator o ON o.oid = a.amopopr WHERE a.oid >= 16384) AS f(routine),
      (VALUES ('<'), ('=')) AS implied(name) WHERE ${readable('f.routine')}
    UNION SELECT 'type', n.nspname, t.typname, u.routine FROM type_use u JOIN pg_type t ON t.oid = u.type JOIN pg_namespace n ON n.oid = t.typnamespace
    UNION SELECT 'routine', n.nspname, p.proname, u.routine FROM header h JOIN type_use u ON u.type = h.type AND u.how <> 'n'
      JOIN pg_proc p ON p.oid = h.routine JOIN pg_namespace n ON n.oid = p.pronamespace
    UNION SELECT 'routine', n.nspname, p.proname, d.routine FROM (${calledBy('default_text', 'x.object')}) AS d(object, routine)
      JOIN pg_proc p ON p.oid = d.object JOIN pg_namespace n ON n.oid = p.pronamespace`;
