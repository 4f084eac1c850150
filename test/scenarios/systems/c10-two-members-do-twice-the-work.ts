/**
 * With handlers that wait for something outside, two members do twice what one does: counted in rounds of that outside,
 * not in seconds. One is killed, and the other has all its partitions within the session.
 */
import assert from 'node:assert/strict'
import { defineConsumer, defineTopic } from '../../../packages/millrace/src/app/index.ts'
import { deferred } from '../../../packages/millrace/src/kit/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { startProgram } from '../../harness/program.ts'
import { scenario } from '../../harness/scenario.ts'

const rounds = 10

await scenario({ topics: { orders: { partitions: 4 } } }, async (scene) => {
  const { until } = scene
  /** The service behind the handlers: everybody who waits is answered at once, in rounds. */
  let round = deferred()
  let waiting = 0
  let handled = 0
  const consumer = defineConsumer({
    topic: defineTopic('orders'),
    group: 'work',
    async each() {
      waiting++
      await round.promise
      handled++
    },
  })
  const app = scenarioApp(
    scene,
    { consumers: [consumer] },
    // A pool of two connections in each process.
    { worker: { concurrency: 2 }, heartbeat: '200ms' },
  )
  const answerAll = (): void => {
    const answered = round
    round = deferred()
    waiting = 0
    answered.resolve()
  }
  const workIn = async (members: number): Promise<number> => {
    await until('all that may wait do', () => waiting === 2 * members, { lastSeen: () => waiting })
    const before = handled
    for (let turn = 0; turn < rounds; turn++) {
      answerAll()
      await until('all that may wait do', () => waiting === 2 * members, {
        lastSeen: () => waiting,
      })
    }
    return handled - before
  }
  const messages = Array.from({ length: 1000 }, (_, n) => ({ partition: n % 4, value: '1' }))
  await scene.send('orders', messages)

  await using one = await app.start()
  await until('it has all', () => one.partitions.length === 4)
  const alone = await workIn(1)
  await using two = await app.start()
  await until('they share', () => {
    // Whoever holds a partition that moves must finish first.
    answerAll()
    return one.partitions.length === 2 && two.partitions.length === 2
  })
  const together = await workIn(2)
  assert.ok(together >= 1.8 * alone, `${together} by two, ${alone} by one`)
  const stopping = two.stop()
  await until('one has all again', () => {
    answerAll()
    return one.partitions.length === 4
  })
  assert.equal(await stopping, 0)

  // A member as a process of its own, killed: no goodbye, so its session must end first.
  await using other = startProgram('worker', {
    brokers: scene.brokers,
    topic: scene.topic('orders'),
    group: scene.group('work'),
    session: '6s',
  })
  await until(
    'they share again',
    () => {
      answerAll()
      return one.partitions.length === 2
    },
    { lastSeen: () => [other.facts, other.texts] },
  )
  other.signal('SIGKILL')
  // The session, 5 s for the rest, and what a busy machine adds.
  await until('one has all', () => one.partitions.length === 4, { deadline: 6000 + 5000 + 5000 })
  const ending = one.stop()
  answerAll()
  assert.equal(await ending, 0)
})
