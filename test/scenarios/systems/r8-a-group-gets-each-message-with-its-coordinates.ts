/** Topic, partition, offset, key and value of every message, each to one member of the group. */
import assert from 'node:assert/strict'
import { defineConsumer, defineTopic, text } from '../../../packages/millrace/src/app/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

const events = defineTopic('events', { value: text() })

await scenario({ topics: { events: { partitions: 3 } } }, async (scene) => {
  const seen: string[] = []
  const consumer = defineConsumer({
    topic: events,
    each: ({ topic, partition, offset, key, value }) =>
      void seen.push([topic, partition, offset, key, value].join(' ')),
  })
  const { start } = scenarioApp(scene, { consumers: [consumer] })
  await using first = await start()
  await using second = await start()
  await scene.until('both have partitions', () => {
    const sizes = [first.partitions.length, second.partitions.length]
    return sizes[0] !== 0 && sizes[1] !== 0 && (sizes[0] ?? 0) + (sizes[1] ?? 0) === 3
  })
  const expected: string[] = []
  for (let index = 0; index < 30; index++) {
    const { partition, offset } = await first.producer.send(events, {
      key: `k${index}`,
      value: `v${index}`,
    })
    expected.push(`events ${partition} ${offset} k${index} v${index}`)
  }
  await scene.until('all have come', () => seen.length === 30, { lastSeen: () => seen.length })
  assert.deepEqual(seen.toSorted(), expected.toSorted())
})
