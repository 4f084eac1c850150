import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { quoted } from './names.ts'
import { deleted, upsertStatements, type Dialect } from './upsert.ts'

const dialect: Dialect = { parameter: (n) => `$${n}`, mostValues: 9, now: 'now()' }
type Row = { readonly id: string; readonly name?: string; readonly v?: number }

describe('upsert', () => {
  it('writes only over an older version', () => {
    const [only, ...none] = upsertStatements(dialect, 'app.users', [{ id: 'a', name: 'Ann' }], {
      key: 'id',
      version: 7,
    })
    assert.deepEqual(none, [])
    assert.equal(
      only?.text,
      'insert into "app"."users" ("id", "name", "version", "deleted_at") values ($1, $2, $3, null) ' +
        'on conflict ("id") do update set "name" = excluded."name", "version" = excluded."version", ' +
        '"deleted_at" = excluded."deleted_at" where "app"."users"."version" < excluded."version"',
    )
    assert.deepEqual(only?.values, ['a', 'Ann', 7n])
  })

  it('takes of several rows of a key the newest, in any order', () => {
    const rows: Row[] = [
      { id: 'a', v: 1 },
      { id: 'a', v: 3 },
      { id: 'a', v: 2 },
      { id: 'b', v: 1 },
    ]
    const version = ({ v = 0 }: Row): number => v
    const statements = upsertStatements(dialect, 'users', rows, { key: ['id'], version })
    assert.deepEqual(
      statements.flatMap(({ values }) => values),
      ['a', 3, 3n, 'b', 1, 1n],
    )
  })

  it('keeps a deletion as a row, and touches nothing else of it', () => {
    const [live, dead] = upsertStatements<Row>(
      dialect,
      'users',
      [deleted<Row>({ id: 'a', name: 'Ann' }), { id: 'b', name: 'Ben' }],
      { key: 'id', version: 2 },
    )
    assert.match(live?.text ?? '', /values \(\$1, \$2, \$3, null\)/)
    assert.match(
      dead?.text ?? '',
      /^insert into "users" \("id", "version", "deleted_at"\) values \(\$1, \$2, now\(\)\) on conflict \("id"\) do update set "version" = excluded."version", "deleted_at" = excluded."deleted_at" where/,
    )
  })

  it('splits what one statement cannot take', () => {
    const rows = Array.from({ length: 7 }, (_, index) => ({ id: `${index}`, name: '' }))
    const statements = upsertStatements(dialect, 'users', rows, { key: 'id', version: 1 })
    assert.deepEqual(
      statements.map(({ values }) => values.length),
      [9, 9, 3],
    )
  })

  it('takes the version of a message from its header, else its offset', () => {
    const of = (header: string | undefined): unknown =>
      upsertStatements(dialect, 'users', [{ id: 'a' }], {
        key: 'id',
        version: { offset: 42, header: () => header },
      })[0]?.values[1]
    assert.equal(of(undefined), 42n)
    assert.equal(of('9007199254740993'), 9_007_199_254_740_993n)
    assert.throws(() => of('new'), { code: 'MR_UPSERT_ROW_INVALID' })
  })

  it('refuses rows without their key, and rows of another shape', () => {
    const write = (...rows: Record<string, unknown>[]) =>
      upsertStatements(dialect, 'users', rows, { key: 'id', version: 1 })
    assert.throws(() => write({ name: 'Ann' }), /it has no id/)
    assert.throws(
      () => write({ id: 1, name: 'Ann' }, { id: 2 }),
      /has the columns id, and the first one id, name/,
    )
    assert.throws(() => write({ id: 1, 'na me': 1 }), { code: 'MR_SQL_NAME_INVALID' })
    assert.throws(() => quoted('users; drop table users'), { code: 'MR_SQL_NAME_INVALID' })
    assert.deepEqual(write(), [])
  })
})
