/** The mail service is down while 10,000 orders are made: the shop notices nothing, and the service finds all of them, in order. */
import assert from 'node:assert/strict'
import {
  defineConsumer,
  defineTopic,
  json,
  openProducer,
} from '../../../packages/millrace/src/app/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

const orders = defineTopic('orders', { value: json<{ readonly id: number }>() })
const count = 10_000
const customers = 50

await scenario({ topics: { orders: { partitions: 4 } } }, async (scene) => {
  const mailed = new Map<string, number[]>()
  let mails = 0
  const mail = defineConsumer({
    topic: orders,
    group: 'mail',
    maxMessages: 500,
    batch(messages) {
      for (const { key, value } of messages) {
        const own = mailed.get(String(key)) ?? []
        mailed.set(String(key), own)
        own.push(value.id)
        mails++
      }
    },
  })
  const { config, start, committed } = scenarioApp(scene, { topics: [orders], consumers: [mail] })
  {
    // It was there, and went.
    await using _worker = await start()
    await using producer = openProducer(config)
    await producer.send(orders, { key: 'c0', value: { id: -1 } })
    await scene.until('the first mail is out', () => mails === 1)
  }
  {
    await using shop = openProducer(config)
    for (let id = 0; id < count; id++)
      shop.enqueue(orders, { key: `c${id % customers}`, value: { id } })
    await shop.flush()
  }
  assert.equal(mails, 1)
  {
    await using _worker = await start()
    await scene.until('every mail is out', () => mails === count + 1, { lastSeen: () => mails })
  }
  for (const [key, ids] of mailed) {
    const expected = Array.from({ length: count }, (_, id) => id).filter(
      (id) => `c${id % customers}` === key,
    )
    assert.deepEqual(ids, key === 'c0' ? [-1, ...expected] : expected, key)
  }
  let total = 0
  for (const partition of [0, 1, 2, 3]) total += (await committed('mail', 'orders', partition)) ?? 0
  assert.equal(total, count + 1)
})
