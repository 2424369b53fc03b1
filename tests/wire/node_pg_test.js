// A small application on node-pg: what a JavaScript program does with a database. Started by node_pg_test.py, which gives the address.
'use strict';
const assert = require('assert');
const { Client, Pool, types } = require('pg');

const config = { host: process.env.NODE_HOST, port: Number(process.env.NODE_PORT), user: 'postgres', database: 'postgres' };
const tests = {};

async function withClient(body, more = {}) {
  const client = new Client({ ...config, ...more });
  await client.connect();
  try { await body(client); } finally { await client.end(); }
}

async function failure(promise) {
  try { await promise; } catch (error) { return error; }
  assert.fail('an error was expected');
}

tests['parameters and types'] = () => withClient(async (client) => {
  const stamp = new Date('2024-02-29T12:34:56.789Z');
  const { rows } = await client.query(
    `SELECT $1::int AS i, $2::bigint AS b, $3::float8 AS f, $4::numeric AS n, $5::text AS t, $6::bool AS y, $7::timestamptz AS s,
            $8::jsonb AS j, $9::bytea AS d, $10::int[] AS a, $11::text[] AS l, $12::uuid AS u, $13::date AS nothing`,
    [42, '9007199254740993', 1.5, '12.340', "it's é 漢", true, stamp, { a: [1, null] }, Buffer.from([0, 255]), [1, 2, null],
     ['x,y', '"q"', null], '3f333df6-90a4-4fda-8dd3-9485d27cee36', null]);
  assert.deepStrictEqual(rows[0], {
    i: 42, b: '9007199254740993', f: 1.5, n: '12.340', t: "it's é 漢", y: true, s: stamp, j: { a: [1, null] },
    d: Buffer.from([0, 255]), a: [1, 2, null], l: ['x,y', '"q"', null], u: '3f333df6-90a4-4fda-8dd3-9485d27cee36', nothing: null });
});

tests['binary results'] = () => withClient(async (client) => {
  const { rows } = await client.query({ text: "SELECT 7::int4 AS i, 'x'::text AS t, 1.5::float8 AS f, true AS b", binary: true });
  assert.deepStrictEqual(rows[0], { i: 7, t: 'x', f: 1.5, b: true });
});

tests['fields and row modes'] = () => withClient(async (client) => {
  const result = await client.query({ text: 'SELECT 1 AS one, 2::int8 AS two', rowMode: 'array' });
  assert.deepStrictEqual(result.rows, [[1, '2']]);
  assert.deepStrictEqual(result.fields.map((f) => [f.name, f.dataTypeID]), [['one', 23], ['two', 20]]);
  const several = await client.query('SELECT 1 AS a; SELECT 2 AS b; CREATE TEMP TABLE z (a int)');
  assert.deepStrictEqual(several.map((r) => r.command), ['SELECT', 'SELECT', 'CREATE']);
});

tests['prepared statements'] = () => withClient(async (client) => {
  for (let i = 0; i < 20; ++i) {
    const { rows } = await client.query({ name: 'plus', text: 'SELECT $1::int + $2::int AS sum', values: [i, i] });
    assert.strictEqual(rows[0].sum, 2 * i);
  }
  const { rows } = await client.query('SELECT name, from_sql, parameter_types::text FROM pg_prepared_statements');
  assert.deepStrictEqual(rows, [{ name: 'plus', from_sql: false, parameter_types: '{integer,integer}' }]);
});

tests['changes'] = () => withClient(async (client) => {
  await client.query('CREATE TEMP TABLE item (id serial PRIMARY KEY, name text UNIQUE, n int)');
  const inserted = await client.query("INSERT INTO item (name, n) VALUES ($1, $2), ($3, $4) RETURNING id, name", ['a', 1, 'b', 2]);
  assert.deepStrictEqual(inserted.rows, [{ id: 1, name: 'a' }, { id: 2, name: 'b' }]);
  const upserted = await client.query(
    'INSERT INTO item (name, n) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET n = item.n + excluded.n RETURNING n', ['a', 10]);
  assert.strictEqual(upserted.rows[0].n, 11);
  assert.strictEqual((await client.query('UPDATE item SET n = 0 WHERE id = ANY($1)', [[1, 2, 3]])).rowCount, 2);
  assert.strictEqual((await client.query('DELETE FROM item')).rowCount, 2);
});

tests['transactions'] = () => withClient(async (client) => {
  await client.query('CREATE TEMP TABLE account (id int PRIMARY KEY, n int)');
  await client.query('INSERT INTO account VALUES (1, 100)');
  await client.query('BEGIN');
  await client.query('UPDATE account SET n = 0');
  await client.query('SAVEPOINT s');
  assert.strictEqual((await failure(client.query('INSERT INTO account VALUES (1, 1)'))).code, '23505');
  assert.strictEqual((await failure(client.query('SELECT 1'))).code, '25P02');
  await client.query('ROLLBACK TO s');
  await client.query('ROLLBACK');
  assert.strictEqual((await client.query('SELECT n FROM account')).rows[0].n, 100);
});

tests['errors'] = () => withClient(async (client) => {
  await client.query('CREATE TEMP TABLE e (id int CONSTRAINT positive CHECK (id > 0))');
  const error = await failure(client.query('INSERT INTO e VALUES ($1)', [-1]));
  assert.deepStrictEqual([error.code, error.severity, error.table, error.constraint], ['23514', 'ERROR', 'e', 'positive']);
  assert.strictEqual(error.message, 'new row for relation "e" violates check constraint "positive"');
  assert.strictEqual((await failure(client.query('SELECT * FORM e'))).position, '10');
  assert.strictEqual((await failure(client.query('SELECT $1::int', ['x']))).code, '22P02');
  assert.strictEqual((await client.query('SELECT 1 AS fine')).rows[0].fine, 1);
});

tests['many queries at a time on one client'] = () => withClient(async (client) => {
  const results = await Promise.all(Array.from({ length: 100 }, (_, i) => client.query('SELECT $1::int AS i', [i])));
  assert.deepStrictEqual(results.map((r) => r.rows[0].i), Array.from({ length: 100 }, (_, i) => i));
});

tests['pool'] = async () => {
  const pool = new Pool({ ...config, max: 5, idleTimeoutMillis: 1000 });
  await pool.query('CREATE TABLE counter (n int)');
  await pool.query('INSERT INTO counter VALUES (0)');
  await Promise.all(Array.from({ length: 50 }, () => pool.query('UPDATE counter SET n = n + 1')));
  assert.strictEqual((await pool.query('SELECT n FROM counter')).rows[0].n, 50);
  const client = await pool.connect();
  client.release();
  assert.ok(pool.totalCount <= 5);
  await pool.query('DROP TABLE counter');
  await pool.end();
};

tests['notices and parameters'] = () => withClient(async (client) => {
  const notices = [];
  client.on('notice', (notice) => notices.push(notice.message));
  await client.query('DROP TABLE IF EXISTS missing');
  assert.deepStrictEqual(notices, ['table "missing" does not exist, skipping']);
});

tests['statement timeout and cancel'] = () => withClient(async (client) => {
  assert.strictEqual((await failure(client.query('SELECT pg_sleep(30)'))).code, '57014');
  await withClient(async (other) => {
    await client.query('SET statement_timeout = 0');
    const sleeping = failure(client.query('SELECT pg_sleep(60)'));
    while ((await other.query('SELECT pg_cancel_backend($1) AS done', [client.processID])).rows[0].done) {
      if (await Promise.race([sleeping, new Promise((resolve) => setTimeout(() => resolve(null), 50))])) break;
    }
    assert.strictEqual((await sleeping).code, '57014');
  });
}, { statement_timeout: 100 });

tests['password'] = async () => {
  await withClient((client) => client.query("CREATE ROLE locked LOGIN PASSWORD 'pässword'"));
  await withClient(async (client) => {
    assert.strictEqual((await client.query('SELECT current_user AS u')).rows[0].u, 'locked');
  }, { user: 'locked', password: 'pässword', host: '127.0.0.1' });
  const error = await failure(withClient(async () => {}, { user: 'locked', password: 'wrong', host: '127.0.0.1' }));
  assert.strictEqual(error.code, '28P01');
};

tests['type parsers'] = () => withClient(async (client) => {
  types.setTypeParser(1082, (text) => text);
  assert.strictEqual((await client.query("SELECT '2024-02-29'::date AS d")).rows[0].d, '2024-02-29');
});

(async () => {
  let failed = 0;
  for (const [name, test] of Object.entries(tests)) {
    try {
      await test();
      console.log(`ok ${name}`);
    } catch (error) {
      ++failed;
      console.log(`FAILED ${name}: ${error.stack}`);
    }
  }
  process.exit(failed === 0 ? 0 : 1);
})();
