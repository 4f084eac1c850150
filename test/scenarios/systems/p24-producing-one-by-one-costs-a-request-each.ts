/**
 * Awaiting each send costs a request a message, whatever the client (P24). Sends at once, lists, background delivery and
 * buffers share requests, over all topics.
 */
import assert from 'node:assert/strict'
import {
  defineTopic,
  openProducer,
  type AppProducer,
} from '../../../packages/millrace/src/app/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'
import { watchRequests } from '../../harness/watch-requests.ts'

const users = defineTopic('users')
const orders = defineTopic('orders')
const count = 200

const ways: Readonly<Record<string, (producer: AppProducer) => Promise<unknown>>> = {
  'all at once': (producer) =>
    Promise.all(messages().map(({ topic, message }) => producer.send(topic, message))),
  'a list': (producer) => producer.sendMany(messages()),
  'in the background': async (producer) => {
    for (const { topic, message } of messages()) producer.enqueue(topic, message)
    await producer.flush()
  },
  'a buffer': async (producer) => {
    const buffer = producer.buffer()
    for (const { topic, message } of messages()) buffer.add(topic, message)
    await buffer.deliver()
  },
}

function messages(): { topic: typeof users; message: { key: string; value: number } }[] {
  return Array.from({ length: count }, (_, value) => ({
    topic: (value % 2 === 0 ? users : orders) as typeof users,
    message: { key: `${value % 20}`, value },
  }))
}

await scenario(
  { topics: { users: { partitions: 2 }, orders: { partitions: 2 } } },
  async (scene) => {
    const { config } = scenarioApp(scene, { topics: [users, orders] })
    const requests = watchRequests()
    await using producer = openProducer(config, { dial: requests.dial })
    await producer.send(users, { value: 0 })
    await producer.send(orders, { value: 0 })

    const cost = async (run: () => Promise<unknown>): Promise<number> => {
      const before = requests.sent('Produce')
      await run()
      return requests.sent('Produce') - before
    }
    const naive = await cost(async () => {
      for (const { topic, message } of messages()) await producer.send(topic, message)
    })
    assert.equal(naive, count, 'one by one: a request each')
    for (const [way, run] of Object.entries(ways)) {
      const shared = await cost(() => run(producer))
      assert.ok(shared * 20 <= naive, `${way}: ${shared} requests for ${count} messages`)
    }

    const logs = await Promise.all(
      ['users', 'orders'].flatMap((name) => [scene.log(name, 0), scene.log(name, 1)]),
    )
    const all = logs.flatMap(({ records }) => records)
    assert.equal(all.length, 2 + count * 5)
    for (const { records } of logs) {
      const rounds = Map.groupBy(records, ({ key }) => String(key))
      for (const [key, ofKey] of rounds) {
        if (key === 'null') continue
        const values = ofKey.map(({ value }) => Number(value))
        const perRound = values.length / 5
        for (let round = 0; round < 5; round++) {
          const own = values.slice(round * perRound, (round + 1) * perRound)
          assert.deepEqual(
            own,
            own.toSorted((a, b) => a - b),
            `key ${key} keeps its order`,
          )
        }
      }
    }
  },
)
