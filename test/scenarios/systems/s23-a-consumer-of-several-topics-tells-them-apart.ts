/** `topic: [a, b]`: one consumer, one group, and the type of a value follows from `message.topic`. */
import assert from 'node:assert/strict'
import {
  defineConsumer,
  defineTopic,
  json,
  text,
} from '../../../packages/millrace/src/app/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

const orders = defineTopic('orders', { value: json<{ readonly total: number }>() })
const notes = defineTopic('notes', { value: text() })
const events = defineTopic('events', {
  value: json<
    | { readonly type: 'opened'; readonly by: string }
    | { readonly type: 'closed'; readonly reason: string }
  >(),
})

await scenario({ topics: { orders: { partitions: 2 }, notes: {}, events: {} } }, async (scene) => {
  const seen: string[] = []
  let total = 0
  const both = defineConsumer({
    topic: [orders, notes],
    name: 'both',
    each(message) {
      if (message.topic === 'orders') total += message.value.total
      else seen.push(message.value.toUpperCase())
    },
  })
  const all = defineConsumer({
    topic: [notes, events],
    name: 'by-event',
    on: {
      opened: ({ value, topic }) => void seen.push(`${topic}: ${value.by}`),
      closed: ({ value }) => void seen.push(value.reason),
      otherwise: ({ topic }) => void seen.push(`${topic}: no event`),
    },
  })
  const { start, committed } = scenarioApp(scene, { consumers: [both, all] })
  {
    await using worker = await start()
    const { producer } = worker
    await producer.send(orders, { partition: 0, value: { total: 3 } })
    await producer.send(orders, { partition: 1, value: { total: 4 } })
    await producer.send(notes, { value: 'hello' })
    await producer.send(events, { value: { type: 'opened', by: 'Ada' } })
    await producer.send(events, { value: { type: 'closed', reason: 'night' } })
    await scene.until('all have come', () => total === 7 && seen.length === 4, {
      lastSeen: () => [total, seen],
    })
    assert.equal(worker.partitions.filter(({ group }) => group === 'both').length, 3)
  }
  assert.deepEqual(seen.toSorted(), ['HELLO', 'events: Ada', 'night', 'notes: no event'])
  assert.equal(await committed('both', 'orders', 0), 1)
  assert.equal(await committed('both', 'notes'), 1)
  assert.equal(await committed('by-event', 'events'), 2)
})
