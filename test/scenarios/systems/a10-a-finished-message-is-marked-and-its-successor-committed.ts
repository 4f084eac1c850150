/**
 * At the interval, when idle, at stop, before a partition goes to another worker; by hand only what was marked; a position
 * that was found is committed too, and one that has not moved for half of the offset retention is committed again.
 */
import assert from 'node:assert/strict'
import { defineConsumer, defineTopic } from '../../../packages/millrace/src/app/index.ts'
import { systemClock } from '../../../packages/millrace/src/kit/index.ts'
import { events as telemetry } from '../../../packages/millrace/src/telemetry/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

const events = defineTopic('events')

await scenario({ topics: { events: {} } }, async (scene) => {
  let automatic = 0
  const byHand: number[] = []
  const { start, committed } = scenarioApp(
    scene,
    {
      consumers: [
        defineConsumer({
          topic: events,
          group: 'interval',
          commit: { interval: '200ms' },
          each: () => void automatic++,
        }),
        defineConsumer({ topic: events, group: 'stop', commit: { interval: '1h' }, each() {} }),
        defineConsumer({
          topic: events,
          group: 'by-hand',
          offsets: 'manual',
          commit: { interval: '200ms' },
          each(message, { mark }) {
            byHand.push(message.offset)
            if (message.offset === 1) mark(message)
          },
        }),
      ],
    },
    { heartbeat: '200ms', session: '6s' },
  )
  {
    await using worker = await start()
    assert.equal(worker.state, 'running')
    await scene.until('the position that was found is committed', async () => {
      return (await committed('interval', 'events')) === 0
    })
    await scene.send('events', [{ value: '1' }, { value: '2' }, { value: '3' }])
    await scene.until(
      'the interval commits',
      async () => (await committed('interval', 'events')) === 3,
    )
    await scene.until(
      'the mark is committed',
      async () => (await committed('by-hand', 'events')) === 2,
    )
    assert.equal(automatic, 3)
    assert.equal(await committed('stop', 'events'), undefined)
  }
  assert.equal(await committed('stop', 'events'), 3)
  assert.equal(await committed('by-hand', 'events'), 2)
  {
    await using worker = await start()
    assert.equal(worker.state, 'running')
    await scene.until('the unmarked one comes again', () => byHand.length === 4)
  }
  assert.deepEqual(byHand, [0, 1, 2, 2])
  assert.equal(automatic, 3, 'nothing that was committed comes again')

  // Before a rebalance: the successor begins behind what was handled, long before the next interval.
  {
    await using first = await start()
    await scene.send('events', [{ value: '4' }])
    await scene.until('it is handled', () => automatic === 4)
    await using second = await start()
    await first.stop()
    await scene.until('the other one has it', () => second.partitions.length === 3, {
      lastSeen: () => second.partitions,
    })
    assert.equal(await committed('stop', 'events'), 4)
  }
  assert.equal(automatic, 4)

  // The worker's days pass, the broker's do not.
  let laterMs = 0
  const clock = { ...systemClock, now: () => Date.now() + laterMs }
  {
    await using worker = await start({ clock })
    const again: number[] = []
    const groupId = scene.group('interval')
    const stop = telemetry.offsetsCommitted.subscribe((own) => {
      if (own.groupId === groupId) again.push(...own.offsets.map(({ offset }) => offset))
    })
    await scene.until('it has its partition', () => worker.partitions.length === 3)
    laterMs = 4 * 24 * 3_600_000
    await scene.until('what has not moved is committed again', () => again.includes(4))
    stop()
  }
})
