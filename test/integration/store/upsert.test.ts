import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'

import fc from 'fast-check'

import { deleted } from '../../../packages/millrace/src/app/index.ts'
import { databases, type TestDatabase } from './databases.ts'

type Copy = {
  readonly id: number
  readonly name?: string
  readonly v: number
  readonly isGone?: true
}

for (const { name, skip, open } of databases) {
  describe(`upsert in ${name}`, { skip }, () => {
    let database: TestDatabase
    before(async () => {
      database = await open()
      await database.exec(
        `create table copies (id integer primary key, name text, version bigint not null, deleted_at ${name === 'Postgres' ? 'timestamptz' : 'text'})`,
      )
      await database.exec(database.liveView('copies'))
      await database.exec(database.liveView('copies'))
    })
    after(() => database?.[Symbol.asyncDispose]())
    beforeEach(() => database.exec('delete from copies'))

    const write = (rows: readonly Copy[]): Promise<number> =>
      database.transaction(async (tx) => {
        let written = 0
        for (const { v, isGone, ...row } of rows)
          written += await database.upsert(tx.handle, 'copies', [isGone ? deleted(row) : row], {
            key: 'id',
            version: v,
          })
        return written
      })
    const live = async (): Promise<unknown[]> => {
      const rows = await database.query('select id, name, version from copies_live order by id')
      return rows.map((row) => ({ ...row, version: Number(row['version']) }))
    }

    it('never writes an older version over a newer one, and says how many it wrote', async () => {
      assert.equal(await write([{ id: 1, name: 'new', v: 5 }]), 1)
      assert.equal(
        await write([
          { id: 1, name: 'old', v: 4 },
          { id: 1, name: 'same', v: 5 },
        ]),
        0,
      )
      assert.deepEqual(await live(), [{ id: 1, name: 'new', version: 5 }])
    })

    it('does not let an old message bring back what was deleted', async () => {
      await write([{ id: 1, name: 'a', v: 1 }])
      await write([
        { id: 1, v: 3, isGone: true },
        { id: 2, v: 3, isGone: true },
      ])
      await write([
        { id: 1, name: 'a', v: 2 },
        { id: 2, name: 'b', v: 2 },
      ])
      assert.deepEqual(await live(), [])
      await write([{ id: 1, name: 'again', v: 4 }])
      assert.deepEqual(await live(), [{ id: 1, name: 'again', version: 4 }])
    })

    it('ends in the same table whatever comes twice, late, or in another order', async () => {
      const change = fc.record({
        id: fc.integer({ min: 1, max: 3 }),
        v: fc.integer({ min: 1, max: 9 }),
      })
      await fc.assert(
        fc.asyncProperty(
          fc.uniqueArray(change, { selector: ({ id, v }) => `${id}/${v}` }),
          fc.infiniteStream(fc.nat()),
          async (changes, picks) => {
            await database.exec('delete from copies')
            const all = changes.map(({ id, v }): Copy =>
              v % 4 === 3 ? { id, v, isGone: true } : { id, v, name: `v${v}` },
            )
            await write(all)
            const once = await live()
            const next = picks[Symbol.iterator]()
            const again = all
              .flatMap((one) => [one, one])
              .toSorted(() => (Number(next.next().value) % 2 === 0 ? 1 : -1))
            await database.exec('delete from copies')
            await write(again)
            assert.deepEqual(await live(), once)
          },
        ),
        { numRuns: 20 },
      )
    })

    it('writes many rows in few statements', async () => {
      const rows = Array.from({ length: 25_000 }, (_, id) => ({ id, name: `n${id}` }))
      const written = await database.transaction((tx) =>
        database.upsert(tx.handle, 'copies', rows, { key: 'id', version: 1 }),
      )
      assert.equal(written, 25_000)
      const [{ count } = {}] = await database.query('select count(*) as count from copies_live')
      assert.equal(Number(count), 25_000)
    })
  })
}
