/** At the start or later: one line, retried for ever, recovery without a restart, nothing lost and nothing skipped. */
import assert from 'node:assert/strict'
import { defineConsumer, defineTopic } from '../../../packages/millrace/src/app/index.ts'
import { startBroker } from '../../../packages/millrace/src/broker/index.ts'
import { keptLog, scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

const events = defineTopic('events')
const late = defineTopic('late', { partitions: 1 })

await scenario(
  { topics: { events: {} }, isDurable: true, skipOn: { kafka: 'it stops the broker' } },
  async (scene) => {
    const seen: number[] = []
    const consumer = defineConsumer({
      topic: events,
      group: 'patient',
      each: ({ offset }) => void seen.push(offset),
    })
    const { lines, logger } = keptLog()
    const { start, committed } = scenarioApp(scene, { consumers: [consumer] })
    {
      await using worker = await start({ log: logger })
      await scene.send('events', [{ value: '0' }])
      await scene.until('it works', () => seen.length === 1)
      await scene.engine.restart()
      await scene.send('events', [{ value: '1' }, { value: '2' }])
      await scene.until('it goes on by itself', () => seen.includes(2), {
        lastSeen: () => lines.slice(-10),
      })
      assert.equal(worker.state, 'running')
    }
    assert.deepEqual([...new Set(seen)], [0, 1, 2])
    assert.equal(await committed('patient', 'events'), 3)

    const port = await freePort()
    const away = keptLog()
    const came: unknown[] = []
    const early = scenarioApp(
      scene,
      { consumers: [defineConsumer({ topic: late, each: ({ value }) => void came.push(value) })] },
      { brokers: [`127.0.0.1:${port}`], worker: { startTimeout: '300ms' } },
    )
    await using worker = await early.start({ log: away.logger, createTopics: true })
    await scene.until('the broker is reported away', () =>
      away.lines.some(({ text }) => /unreachable/.test(text)),
    )
    await using broker = await startBroker({ memory: true, port })
    assert.equal(broker.port, port)
    await scene.until('the worker has its partition', () => worker.partitions.length === 1, {
      lastSeen: () => away.lines,
    })
    await worker.producer.send(late, { value: 'at last' })
    await scene.until('the message came', () => came.length === 1)
    const unreachable = away.lines.filter(({ text }) => /unreachable:/.test(text))
    assert.equal(unreachable.length, 1, 'one line a change of state')
    assert.ok(away.lines.some(({ text }) => /reachable again after/.test(text)))
  },
)

async function freePort(): Promise<number> {
  await using broker = await startBroker({ memory: true })
  return broker.port
}
