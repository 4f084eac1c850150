/**
 * By itself: after kill -9 a worker goes on at its commit. By hand: what was not committed comes again, what was does
 * not; a mark without a commit counts for nothing after kill -9.
 */
import assert from 'node:assert/strict'
import { defineConsumer, defineTopic, text } from '../../../packages/millrace/src/app/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

const events = defineTopic('events', { value: text() })

await scenario({ topics: { events: {} } }, async (scene) => {
  const byItself: number[] = []
  const byHand: number[] = []
  let mayCommit = true
  const { start, committed } = scenarioApp(
    scene,
    {
      consumers: [
        defineConsumer({
          topic: events,
          group: 'itself',
          commit: { interval: '50ms' },
          each: ({ offset }) => void byItself.push(offset),
        }),
        defineConsumer({
          topic: events,
          group: 'hand',
          offsets: 'manual',
          commit: { interval: '1h' },
          async each(message, { mark, commit }) {
            byHand.push(message.offset)
            if (message.offset % 2 === 0) return
            mark(message)
            if (mayCommit) assert.equal(await commit(), true)
          },
        }),
      ],
    },
    { heartbeat: '200ms', session: '6s' },
  )
  const send = (count: number): Promise<unknown> =>
    scene.send(
      'events',
      Array.from({ length: count }, () => ({ value: 'x' })),
    )
  {
    const worker = await start()
    await send(6)
    await scene.until('both have all', () => byItself.length === 6 && byHand.length === 6)
    await scene.until('it is committed', async () => (await committed('itself', 'events')) === 6)
    assert.equal(await committed('hand', 'events'), 6)
    mayCommit = false
    await send(3)
    await scene.until('three more came', () => byHand.length === 9)
    await scene.until('they are committed', async () => (await committed('itself', 'events')) === 9)
    await worker.kill()
  }
  assert.equal(await committed('hand', 'events'), 6, 'marked, and not committed')
  {
    await using worker = await start()
    await scene.until('what was not committed comes again', () => byHand.length === 12)
    await worker.stop()
  }
  assert.deepEqual(byHand.slice(9), [6, 7, 8])
  assert.deepEqual(byItself, [0, 1, 2, 3, 4, 5, 6, 7, 8])
  assert.equal(await committed('hand', 'events'), 8, 'a stop commits what is marked')
})
