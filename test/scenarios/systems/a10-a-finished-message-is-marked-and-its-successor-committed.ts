/** At the interval, when idle, at stop; by hand only what was marked; a position that was found is committed too. */
import assert from 'node:assert/strict'
import { defineConsumer, defineTopic } from '../../../packages/millrace/src/app/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

const events = defineTopic('events')

await scenario({ topics: { events: {} } }, async (scene) => {
  let automatic = 0
  const byHand: number[] = []
  const { start, committed } = scenarioApp(scene, {
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
  })
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
})
