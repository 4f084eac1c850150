/** Heartbeats do not depend on handlers: session 6 s, a handler of 20 s, no rebalance, one delivery. */
import assert from 'node:assert/strict'
import { setTimeout as wait } from 'node:timers/promises'
import { defineConsumer, defineTopic, monitor } from '../../../packages/millrace/src/app/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

const events = defineTopic('events')

await scenario({ topics: { events: {} } }, async (scene) => {
  let joins = 0
  let calls = 0
  let isDone = false
  const unsubscribe = monitor.subscribe({ onGroupJoining: () => void joins++ })
  const consumer = defineConsumer({
    topic: events,
    group: 'slow',
    async each() {
      calls++
      await wait(20_000)
      isDone = true
    },
  })
  const { start, committed } = scenarioApp(
    scene,
    { consumers: [consumer] },
    { session: '6s', heartbeat: '1s' },
  )
  {
    await using worker = await start()
    assert.equal(worker.state, 'running')
    const before = joins
    await scene.send('events', [{ value: '1' }])
    await scene.until('the handler is done', () => isDone, { deadline: 40_000 })
    assert.equal(joins, before)
  }
  unsubscribe()
  assert.equal(calls, 1)
  assert.equal(await committed('slow', 'events'), 1)
})
