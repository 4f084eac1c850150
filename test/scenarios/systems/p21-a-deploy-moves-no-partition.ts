/**
 * A rolling restart of three static members, the leader too, is no rebalance: nobody but the one that restarts joins, no
 * partition changes hands, and each goes on where it stood.
 */
import assert from 'node:assert/strict'
import {
  defineConsumer,
  defineTopic,
  type Worker,
} from '../../../packages/millrace/src/app/index.ts'
import { events } from '../../../packages/millrace/src/telemetry/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

const instances = [1, 2, 3]

await scenario({ topics: { orders: { partitions: 6 } } }, async (scene) => {
  const { until } = scene
  const groupId = scene.group('work')
  const joining: string[] = []
  const revoked: unknown[] = []
  const unsubscribe = [
    events.groupJoining.subscribe((one) => one.groupId === groupId && joining.push(one.memberId)),
    events.groupLost.subscribe((one) => one.groupId === groupId && revoked.push(one)),
  ]
  const seen: string[] = []
  const consumer = defineConsumer({
    topic: defineTopic('orders'),
    group: 'work',
    commit: { interval: '20ms' },
    each: ({ partition, offset }) => void seen.push(`${partition}/${offset}`),
  })
  const start = (instance: number): Promise<Worker> =>
    scenarioApp(
      scene,
      { consumers: [consumer] },
      { instanceId: `web-${instance}`, session: '20s', heartbeat: '200ms' },
    ).start()
  const workers: Worker[] = []
  for (const instance of instances) workers.push(await start(instance))
  const shares = (): readonly string[] =>
    workers.map(({ partitions }) =>
      partitions
        .map(({ partition }) => partition)
        .toSorted((one, other) => one - other)
        .join(),
    )
  await until('each has two', () => shares().every((share) => share.length === 3), {
    lastSeen: shares,
  })
  const sendAll = (): Promise<unknown> =>
    scene.send(
      'orders',
      [0, 1, 2, 3, 4, 5].map((partition) => ({ partition, value: '1' })),
    )
  await sendAll()
  await until('all are handled', () => seen.length === 6)
  const before = shares()

  for (const [index, instance] of instances.entries()) {
    joining.length = 0
    assert.equal(await workers[index]?.stop(), 0)
    // What comes meanwhile for its partitions waits; the others go on.
    await sendAll()
    workers[index] = await start(instance)
    await until('it has its partitions again', () => shares()[index] === before[index], {
      lastSeen: shares,
    })
    assert.deepEqual(joining, [''], 'the restarted one alone has joined, once')
  }
  await until('all are handled', () => seen.length === 24)
  assert.equal(new Set(seen).size, 24, 'nothing came twice')
  assert.deepEqual(shares(), before)
  assert.deepEqual(revoked, [])
  for (const worker of workers) assert.equal(await worker.stop(), 0)
  for (const end of unsubscribe) end()
})
