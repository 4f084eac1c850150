/**
 * An order is charged and mailed through two consumers. With either of them down, and with the brokers away, the request
 * succeeds; kill -9 between order and event leaves both or none.
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import {
  defineConsumer,
  defineTopic,
  json,
  startRelay,
} from '../../../packages/millrace/src/app/index.ts'
import { sqlOutbox, transaction } from '../../../packages/millrace/src/sqlite/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { brokersAway } from '../../harness/brokers-away.ts'
import { startProgram } from '../../harness/program.ts'
import { scenario } from '../../harness/scenario.ts'

const orders = defineTopic('orders', { value: json<{ readonly id: number }>() })

await scenario({ topics: { orders: { partitions: 2 } } }, async (scene) => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-c3-'))
  await using stack = new AsyncDisposableStack()
  stack.defer(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, 'shop.db')
  const database = new DatabaseSync(file)
  stack.defer(() => database.close())
  database.exec('pragma journal_mode = wal; create table orders (id integer primary key)')
  const outbox = sqlOutbox(database, { topics: [orders] })
  await outbox.createTables()

  const charged: number[] = []
  const mailed: number[] = []
  const handlers = { charge: charged, mail: mailed }
  const consumers = Object.entries(handlers).map(([group, done]) =>
    defineConsumer({
      name: group,
      topic: orders,
      group,
      each: ({ value }) => void done.push(value.id),
    }),
  )
  const { config, start } = scenarioApp(scene, { consumers })
  const place = (id: number): Promise<unknown> =>
    transaction(database, (tx) => {
      tx.prepare('insert into orders (id) values (?)').run(id)
      outbox.send(tx, orders, { key: String(id), value: { id } })
    })

  const away = brokersAway()
  await using _relay = await startRelay(outbox.relay({ poll: '50ms' }), config, { dial: away.dial })
  {
    await using _charge = await start({ include: ['group:charge'] })
    await place(1)
    await scene.until('it is charged, though mail is down', () => charged.length === 1)
    assert.deepEqual(mailed, [])
  }
  away.goAway()
  await place(2)
  away.comeBack()

  const ends = [
    ['between', 10],
    ['before the commit', 11],
    ['after the commit', 12],
  ] as const
  for (const [dieAt, id] of ends) {
    await using request = startProgram('order', { file, id, dieAt })
    assert.equal(await request.ended, 'SIGKILL', request.texts.join('\n'))
  }
  const rows = database.prepare('select id from orders order by id').all()
  assert.deepEqual(
    rows.map(({ id }) => id),
    [1, 2, 12],
  )
  await using _both = await start()
  const sorted = (ids: readonly number[]): number[] => ids.toSorted((left, right) => left - right)
  await scene.until('all is charged and mailed', () => charged.length >= 3 && mailed.length >= 3, {
    lastSeen: () => handlers,
  })
  await scene.until('the outbox is empty', async () => (await outbox.stats()).waiting === 0)
  assert.deepEqual(sorted(charged), [1, 2, 12])
  assert.deepEqual(sorted(mailed), [1, 2, 12])
})
