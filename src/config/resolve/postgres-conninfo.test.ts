import { describe, expect, test } from 'vitest';
import { parseConninfo } from './postgres-conninfo.ts';

const read = (text: string): object => {
  const found = parseConninfo(text);
  return 'problem' in found ? found : Object.fromEntries(found);
};

describe('a connection string is read as libpq reads it', () => {
  // The examples of the manual, and what psql makes of the others.
  test.each([
    ['postgresql://', {}],
    ['postgresql://localhost', { host: 'localhost' }],
    ['postgresql://localhost:5433', { host: 'localhost', port: '5433' }],
    ['postgresql://localhost/mydb', { host: 'localhost', dbname: 'mydb' }],
    ['postgresql://user@localhost', { user: 'user', host: 'localhost' }],
    ['postgresql://user:secret@localhost', { user: 'user', password: 'secret', host: 'localhost' }],
    [
      'postgresql://other@localhost/otherdb?connect_timeout=10&application_name=myapp',
      { user: 'other', host: 'localhost', dbname: 'otherdb', connect_timeout: '10', application_name: 'myapp' },
    ],
    [
      'postgresql://host1:123,host2:456/somedb?target_session_attrs=any&application_name=myapp',
      {
        host: 'host1,host2',
        port: '123,456',
        dbname: 'somedb',
        target_session_attrs: 'any',
        application_name: 'myapp',
      },
    ],
    ['postgresql:///mydb?host=localhost&port=5433', { dbname: 'mydb', host: 'localhost', port: '5433' }],
    ['postgresql://[2001:db8::1234]/database', { host: '2001:db8::1234', dbname: 'database' }],
    ['postgresql://[2001:db8::1]:99,b/database', { host: '2001:db8::1,b', port: '99,', dbname: 'database' }],
    ['postgresql:///dbname?host=/var/lib/postgresql', { dbname: 'dbname', host: '/var/lib/postgresql' }],
    ['postgresql://%2Fvar%2Flib%2Fpostgresql/dbname', { host: '/var/lib/postgresql', dbname: 'dbname' }],
    ['postgres://user:p%40ss%3A%2F@h/d', { user: 'user', password: 'p@ss:/', host: 'h', dbname: 'd' }],
    ['postgres://h?ssl=true', { host: 'h', sslmode: 'require' }],
    [
      'host=localhost port=5432 dbname=mydb connect_timeout=10',
      { host: 'localhost', port: '5432', dbname: 'mydb', connect_timeout: '10' },
    ],
    ["host = a,b  password='a b\\'c\\\\' user=", { host: 'a,b', password: "a b'c\\", user: '' }],
    ['host=a\\ b', { host: 'a b' }],
    ['  host=a  ', { host: 'a' }],
  ])('%s', (text, expected) => {
    expect(read(text)).toEqual(expected);
  });

  test.each([
    'postgresql://h/d?sslmode',
    'postgresql://h/d?a=b=c',
    'postgresql://%zz/d',
    'postgresql://user:%00@h',
    'postgresql://[::1/d',
    'postgresql://h:port/d',
    'sslmode',
    "host='unfinished",
    'host=a b',
  ])('%s is refused, and not repeated', (text) => {
    const { problem } = read(text) as { problem: string };
    expect(problem).not.toBe('');
    expect(problem).not.toContain(text);
  });
});
