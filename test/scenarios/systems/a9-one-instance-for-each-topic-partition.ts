/** An instance lives from assignment to revocation and keeps its state between messages; control records never arrive. */
import assert from 'node:assert/strict'
import { Consumer, defineConsumer, defineTopic } from '../../../packages/millrace/src/app/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { openKafkajs } from '../../harness/kafkajs.ts'
import { scenario } from '../../harness/scenario.ts'

const events = defineTopic('events')
const other = defineTopic('other')
const seen: { readonly at: string; readonly instance: number; readonly count: number }[] = []
let instances = 0

class CountingConsumer extends Consumer<typeof events | typeof other> {
  readonly #instance = ++instances
  #count = 0
  consume(): void {
    const { topic, partition } = this.message
    seen.push({ at: `${topic}/${partition}`, instance: this.#instance, count: ++this.#count })
  }
}

await scenario({ topics: { events: { partitions: 2 }, other: {} } }, async (scene) => {
  const consumer = defineConsumer({
    topic: [events, other],
    name: 'counting',
    use: CountingConsumer,
  })
  const { start } = scenarioApp(scene, { consumers: [consumer] })
  {
    await using worker = await start()
    assert.equal(worker.state, 'running')
    for (let round = 0; round < 3; round++) {
      await scene.send('events', [
        { partition: 0, value: '1' },
        { partition: 1, value: '1' },
      ])
      await scene.send('other', [{ value: '1' }])
    }
    await scene.until('all nine have come', () => seen.length === 9)
  }
  for (const [at, calls] of Map.groupBy(seen, (one) => one.at)) {
    assert.equal(new Set(calls.map(({ instance }) => instance)).size, 1, `${at} has one instance`)
    assert.deepEqual(
      calls.map(({ count }) => count),
      [1, 2, 3],
    )
  }
  assert.equal(instances, 3)

  await using next = await start()
  assert.equal(next.state, 'running')
  await scene.send('other', [{ value: '1' }])
  await scene.until('the next one has it', () => seen.length === 10)
  assert.equal(seen.at(-1)?.count, 1, 'a new assignment is a new instance')

  // The embedded broker has no transactions, and so no control records, yet.
  if (scene.engine.name === 'embedded') return
  const transactional = openKafkajs(scene.brokers).producer({
    transactionalId: scene.group('nine'),
    maxInFlightRequests: 1,
    idempotent: true,
  })
  await transactional.connect()
  for (const isKept of [true, false, true]) {
    const transaction = await transactional.transaction()
    await transaction.send({ topic: scene.topic('other'), messages: [{ value: '2' }] })
    await (isKept ? transaction.commit() : transaction.abort())
  }
  await transactional.disconnect()
  await scene.until('the committed ones have come', () => seen.length === 12)
  await scene.send('other', [{ value: '1' }])
  await scene.until('and what follows them', () => seen.length === 13)
  assert.deepEqual(
    seen.slice(10).map(({ count }) => count),
    [2, 3, 4],
    'neither the aborted one nor what ends transactions',
  )
})
