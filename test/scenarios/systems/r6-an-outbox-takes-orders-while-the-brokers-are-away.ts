/**
 * A web application queues its events in an outbox: its order endpoint answers as fast with the brokers away as before, no
 * order is without its event even if the process dies meanwhile, and when they are back all arrive, in order.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { defineTopic, json, startRelay } from '../../../packages/millrace/src/app/index.ts'
import { sqlOutbox, transaction } from '../../../packages/millrace/src/sqlite/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { brokersAway } from '../../harness/brokers-away.ts'
import { scenario } from '../../harness/scenario.ts'

const orders = defineTopic('orders', { value: json<{ readonly id: number }>() })
const requests = 200

await scenario({ topics: { orders: { partitions: 3 } } }, async (scene) => {
  await using stack = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'millrace-r6-'))
  stack.defer(() => rm(folder, { recursive: true, force: true }))
  const database = new DatabaseSync(join(folder, 'shop.db'))
  stack.defer(() => database.close())
  database.exec('pragma journal_mode = wal; create table orders (id integer primary key)')
  const outbox = sqlOutbox(database, { topics: [orders] })
  await outbox.createTables()
  const away = brokersAway()
  const { config } = scenarioApp(scene, { topics: [orders] })
  const options = { lease: '500ms', poll: '50ms' } as const
  const first = await startRelay(outbox.relay(options), config, { dial: away.dial })

  const server = createServer((request, response) => {
    const id = Number(new URL(request.url ?? '/', 'http://shop').searchParams.get('id'))
    void transaction(database, (tx) => {
      tx.prepare('insert into orders (id) values (?)').run(id)
      outbox.send(tx, orders, { key: `c${id % 5}`, value: { id } })
    }).then(() => response.end('taken'))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  stack.defer(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  let next = 0
  const median = async (): Promise<number> => {
    const times: number[] = []
    for (let round = 0; round < requests; round++) {
      const startedMs = performance.now()
      const answer = await fetch(`http://127.0.0.1:${port}/order?id=${next++}`)
      assert.equal(await answer.text(), 'taken')
      times.push(performance.now() - startedMs)
    }
    return times.toSorted((left, right) => left - right)[Math.floor(requests / 2)] ?? 0
  }
  await median() // warm
  const before = await median()
  away.goAway()
  const during = await median()
  scene.watch('median before and during, ms', () => [before, during])
  assert.ok(during <= before * 3 + 5, `it was ${before} ms, and ${during} ms without brokers`)
  assert.ok((await outbox.stats()).waiting >= requests, 'they wait in the database')
  // This process forgets everything that it had in memory; the database does not.
  await first.stop({ timeout: 0 })
  away.comeBack()
  await using _second = await startRelay(outbox.relay(options), config)
  await scene.until('the outbox is empty', async () => (await outbox.stats()).waiting === 0)
  const seen = new Map<string, number[]>()
  for (const partition of [0, 1, 2])
    for (const { key, value } of (await scene.log('orders', partition)).records) {
      const ids = seen.get(String(key)) ?? []
      seen.set(String(key), ids)
      const { id } = JSON.parse(String(value)) as { readonly id: number }
      if (!ids.includes(id)) ids.push(id)
    }
  assert.equal(seen.size, 5)
  for (const [key, ids] of seen)
    assert.deepEqual(
      ids,
      Array.from({ length: next }, (_, id) => id).filter((id) => `c${id % 5}` === key),
      key,
    )
})
