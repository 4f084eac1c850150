/** A second worker takes its share; the partitions that stay are handled on without a break, and nothing comes twice. */
import assert from 'node:assert/strict'
import { defineConsumer, defineTopic, monitor } from '../../../packages/millrace/src/app/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

const events = defineTopic('events')

await scenario({ topics: { events: { partitions: 4 } } }, async (scene) => {
  const handled: string[] = []
  const assigned: string[] = []
  const unsubscribe = monitor.subscribe({
    onGroupRevoked: ({ partitions }) => assigned.push(`revoked ${partitions.length}`),
  })
  const consumer = defineConsumer({
    topic: events,
    each: ({ partition, offset }) => void handled.push(`${partition}/${offset}`),
  })
  const { start } = scenarioApp(scene, { consumers: [consumer] }, { heartbeat: '200ms' })
  await using first = await start()
  await scene.until('the first has all', () => first.partitions.length === 4)
  const isOn = { value: true }
  let sent = 0
  const sending = (async () => {
    while (isOn.value) {
      await first.producer.send(events, { partition: sent % 4, value: sent })
      sent++
    }
  })()
  {
    await using second = await start()
    await scene.until('they share', () => {
      return first.partitions.length === 2 && second.partitions.length === 2
    })
    assert.deepEqual(assigned, ['revoked 2'], 'two moved, two stayed')
    await scene.until('the second works', () =>
      second.partitions.some(({ position }) => position > 0),
    )
  }
  await scene.until('the first has all again', () => first.partitions.length === 4)
  isOn.value = false
  await sending
  await scene.until('all are handled', () => handled.length >= sent)
  unsubscribe()
  assert.equal(handled.length, sent)
  assert.equal(new Set(handled).size, sent)
})
