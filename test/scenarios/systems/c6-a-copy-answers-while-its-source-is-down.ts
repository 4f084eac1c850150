/**
 * Event-carried state transfer: the consumer keeps a copy of the customers. It answers while the producer is stopped, a
 * deleted customer disappears there too, and neither old messages nor ones that come twice change it.
 */
import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import {
  defineConsumer,
  defineTopic,
  deleted,
  json,
  openProducer,
} from '../../../packages/millrace/src/app/index.ts'
import { liveView, sqlInbox, upsert } from '../../../packages/millrace/src/sqlite/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

const customers = defineTopic('customers', {
  value: json<{ readonly name: string }>(),
  tombstones: true,
  compaction: true,
})

await scenario({ topics: { customers: { partitions: 2 } } }, async (scene) => {
  const database = new DatabaseSync(':memory:')
  database.exec(`create table customers
    (id text primary key, name text, version integer not null, deleted_at text);`)
  database.exec(liveView('customers'))
  const inbox = sqlInbox(database)
  await inbox.createTables()
  let handled = 0
  const copy = defineConsumer({
    topic: customers,
    group: 'copy',
    inbox,
    each(message, { tx }) {
      const { key, value } = message
      const row = { id: String(key) }
      upsert(tx, 'customers', [value === null ? deleted(row) : { ...row, name: value.name }], {
        key: 'id',
        version: message,
      })
      handled++
    },
  })
  const { config, start } = scenarioApp(scene, { consumers: [copy] })
  const versioned = (version: number): object => ({ headers: { 'millrace-version': `${version}` } })
  {
    await using shop = openProducer(config)
    const send = (key: string, name: string | null, version: number): Promise<unknown> =>
      shop.send(customers, {
        key,
        value: name === null ? null : { name },
        ...versioned(version),
      })
    await send('1', 'Ann', 1)
    await send('2', 'Ben', 1)
    await send('2', null, 3)
    await send('1', 'Anna', 2)
    await send('1', 'Ann', 1)
    await send('2', 'Ben', 2)
  }
  await using _worker = await start()
  await scene.until('the copy is up to date', () => handled === 6)
  // Nobody is there to ask.
  const rows = database.prepare('select id, name, version from customers_live').all()
  assert.deepEqual(
    rows.map((row) => ({ ...row })),
    [{ id: '1', name: 'Anna', version: 2 }],
  )
})
