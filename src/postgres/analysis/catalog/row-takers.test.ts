import { expect, test } from 'vitest';
import { takesWholeRow } from './row-takers.ts';

const taken = (statements: string, language = 'plpgsql'): boolean =>
  takesWholeRow({ language, body: `AS $function$ BEGIN ${statements} END $function$` });

test.each([
  'INSERT INTO log VALUES (to_jsonb(NEW)); RETURN NEW;',
  'INSERT INTO log VALUES (row_to_json(old)::text); RETURN OLD;',
  'INSERT INTO log VALUES (hstore(NEW.*)); RETURN NEW;',
  'INSERT INTO history SELECT OLD.*; RETURN NEW;',
  'IF NEW IS DISTINCT FROM OLD THEN NEW.touched := now(); END IF; RETURN NEW;',
  "PERFORM pg_notify('people', NEW::text); RETURN NULL;",
  "EXECUTE format('INSERT INTO %I SELECT ($1).*', part) USING NEW; RETURN NULL;",
  'RETURN jsonb_populate_record(NEW, other);',
  'NEW := changed(NEW); RETURN NEW;',
])('a row is taken as a whole: %s', (statements) => {
  expect(taken(statements)).toBe(true);
});

test.each([
  'NEW.touched := now(); RETURN NEW;',
  'NEW . "Touched" = now(); RETURN (NEW);',
  'return coalesce(NEW, OLD);',
  "IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW;",
  "RAISE NOTICE 'a new row isn''t old'; -- the new one, don't look\n/* old */ RETURN NEW;",
  "PERFORM pg_notify('people', json_build_object('id', NEW.id)::text); RETURN NULL;",
  'NEW.newer := OLD.older; RETURN NEW;',
])('only fields are, and the row that is given back: %s', (statements) => {
  expect(taken(statements)).toBe(false);
});

test('what is compiled is not read', () => {
  expect(taken('to_jsonb(NEW)', 'c')).toBe(false);
});
