/**
 * A key whose message fails holds no other key of its partition and no lane; no commit passes it. What the others have
 * finished beyond it is in the commit, so that after a restart they do not come again; the failing one does.
 */
import assert from 'node:assert/strict'
import { defineConsumer, defineTopic, text } from '../../../packages/millrace/src/app/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

const events = defineTopic('events', { key: text() })
const others = ['ada', 'eve', 'joe', 'kim', 'lou']

await scenario({ topics: { events: {} } }, async (scene) => {
  let isBroken = true
  const seen: string[] = []
  const consumer = defineConsumer({
    topic: events,
    group: 'calls',
    concurrency: 2,
    backoff: '30ms',
    commit: { interval: '100ms' },
    each({ key, offset }) {
      seen.push(`${key} ${offset}`)
      if (key === 'bad' && isBroken) throw new Error('no such customer')
    },
  })
  await scene.send('events', [
    { key: 'ada', value: '0' },
    { key: 'bad', value: '1' },
    ...Array.from({ length: 50 }, (_, n) => ({ key: others[n % 5] as string, value: String(n) })),
    { key: 'bad', value: '2' },
  ])
  const { start, committed } = scenarioApp(scene, { consumers: [consumer] })
  const times = (what: string): number => seen.filter((one) => one === what).length
  {
    await using worker = await start()
    await scene.until('the others are done, and the bad one came back', () => {
      return new Set(seen).size === 52 && times('bad 1') >= 5
    })
    assert.equal(times('bad 52'), 0, 'the next one of its key waits')
    const [partition] = worker.partitions
    assert.deepEqual(partition?.lanes.size, 2)
    await scene.until('the position is committed', async () => {
      return (await committed('calls', 'events')) === 1
    })
  }
  assert.equal(await committed('calls', 'events'), 1, 'nothing passes the bad one')

  isBroken = false
  seen.length = 0
  {
    await using worker = await start()
    await scene.until('the rest is done', () => seen.length >= 2)
    await scene.until('nothing is left', () => worker.partitions[0]?.lag === 0)
  }
  assert.deepEqual(seen, ['bad 1', 'bad 52'], 'the others do not come again')
  assert.equal(await committed('calls', 'events'), 53)
})
