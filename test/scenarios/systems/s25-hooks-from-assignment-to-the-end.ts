/**
 * Every hook of the table, in the life of one partition: assigned before anything is fetched, each poll cycle around its
 * messages, the end, the idle time, ticks beside no handler, and the goodbye before the last commit.
 */
import assert from 'node:assert/strict'
import {
  defineConsumer,
  defineTopic,
  type Hooks,
} from '../../../packages/millrace/src/app/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

const orders = defineTopic('orders')

await scenario({ topics: { orders: { partitions: 2 } } }, async (scene) => {
  const calls: string[] = []
  let isHandling = false
  const told = (name: string): void => {
    assert.ok(!isHandling || name === 'consume', `${name} ran beside the handler`)
    if (calls.at(-1) !== name) calls.push(name)
  }
  const app = (topicHooks: Hooks<typeof orders>): ReturnType<typeof scenarioApp> =>
    scenarioApp(
      scene,
      {
        hooks: {
          initialized: () => told('initialized'),
          beforeStart: () => told('beforeStart'),
          beforeClose: () => told('beforeClose'),
        },
        consumers: [
          defineConsumer({
            topic: orders,
            group: 'mail',
            maxWait: '50ms',
            idleAfter: '100ms',
            tickInterval: '30ms',
            hooks: topicHooks,
            async each() {
              told('consume')
              isHandling = true
              await new Promise((resolve) => setImmediate(resolve))
              isHandling = false
            },
          }),
        ],
      },
      { heartbeat: '200ms' },
    )
  const { start, committed } = app({
    assigned: ({ committed: found }) => told(`assigned, committed ${found}`),
    beforePoll: () => told('beforePoll'),
    afterFetch: (messages) => told(`afterFetch ${messages.size}`),
    afterPoll: () => told('afterPoll'),
    ended: () => told('ended'),
    idle: () => told('idle'),
    tick: () => told('tick'),
    revoked: ({ owned }) => told(`revoked, owned ${owned}`),
    shutdown: () => told('shutdown'),
  })
  scene.watch('calls', () => calls)
  {
    await using worker = await start()
    await scene.send('orders', [{ partition: 0, value: '"a"' }])
    const hasAll = (...names: string[]): boolean => names.every((name) => calls.includes(name))
    await scene.until('a partition has lived', () =>
      hasAll('afterFetch 1', 'consume', 'ended', 'idle', 'tick', 'afterPoll'),
    )
    assert.deepEqual(calls.slice(0, 3), ['initialized', 'beforeStart', 'assigned, committed null'])
    const fetched = calls.indexOf('afterFetch 1')
    assert.equal(calls[fetched - 1], 'beforePoll')
    assert.deepEqual(calls.slice(fetched, fetched + 3), ['afterFetch 1', 'consume', 'afterPoll'])

    // A newcomer takes one of the two.
    await using second = await start()
    await scene.until('it was given back', () => hasAll('revoked, owned true'))
    assert.equal(await second.stop(), 0)
    assert.equal(await worker.stop(), 0)
  }
  const end = calls.indexOf('shutdown')
  assert.ok(end >= 0 && calls.lastIndexOf('consume') < end)
  assert.equal(calls.at(-1), 'beforeClose', 'databases close after the consumers')
  assert.equal(await committed('mail', 'orders'), 1)
})
