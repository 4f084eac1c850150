/**
 * Every setting of Karafka 1 at its old value, by the one option that stands for it (docs/guides/from-karafka.md). What
 * a worker promises holds all the same: a failing message keeps its place and no other partition waits, two users with
 * one e-mail end as two rows, positions are committed, a stop finishes what is in hand.
 *
 * Pauses and intervals of 10 s are checked on the resolved plan and shortened for the run.
 */
import assert from 'node:assert/strict'
import {
  Consumer,
  defineApp,
  defineConsumer,
  defineTopic,
  json,
  monitor,
  resolveConfig,
  type ConsumerSettings,
  type MillraceConfig,
} from '../../../packages/millrace/src/app/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

interface User {
  readonly name: string
  readonly email: string
}

const users = defineTopic('users', { value: json<User>() })

const process1x = {
  clientId: 'karafka',
  session: '30s',
  heartbeat: '10s',
  worker: { shutdownTimeout: '60s' },
  fetch: { maxWait: '1s', minBytes: 1, maxBytes: 10_485_760, perPartition: 1_048_576 },
  connection: { reconnect: '5s', timeout: '10s', requestTimeout: '30s' },
} as const satisfies MillraceConfig

const consumer1x = {
  backoff: '10s',
  commit: { interval: '10s', every: 0 },
  start: 'earliest',
  offsets: 'automatic',
} as const satisfies ConsumerSettings

const resolved = resolveConfig(
  {
    ...process1x,
    brokers: 'kafka://localhost:9092',
    app: defineApp({
      defaults: consumer1x,
      consumers: [defineConsumer({ topic: users, each() {} })],
    }),
  },
  { env: {} },
)
const [plan] = resolved.plans
assert.equal(plan?.retry.backoff.firstMs, 10_000)
assert.equal(plan?.retry.backoff.maxMs, 10_000, 'exponential pauses are off')
assert.equal(plan?.commitIntervalMs, 10_000)
assert.equal(resolved.options.session, 30_000)
assert.equal(resolved.options['connection.reconnect'], 5000)

const stored: User[] = []
let isUnique = true

class UsersConsumer extends Consumer<typeof users> {
  consume(): void {
    const user = this.message.value
    if (isUnique && stored.some(({ email }) => email === user.email))
      throw new Error('UNIQUE constraint failed: users.email')
    stored.push(user)
  }
}

await scenario({ topics: { users: { partitions: 2 } } }, async (scene) => {
  const { start, committed } = scenarioApp(
    scene,
    {
      defaults: { ...consumer1x, backoff: '30ms', commit: { interval: '100ms', every: 0 } },
      consumers: [defineConsumer({ topic: users, group: 'users', use: UsersConsumer })],
    },
    // The broker's own wait is what an idle stop would wait for.
    { ...process1x, fetch: { ...process1x.fetch, maxWait: '100ms' } },
  )
  const failures: number[] = []
  const rebalances: number[] = []
  const end = monitor.subscribe({
    onConsumerFailed: ({ offset }) => failures.push(offset),
    onGroupAssigned: ({ generation }) => rebalances.push(generation),
  })
  const user = (name: string, email: string): string => JSON.stringify({ name, email })
  {
    await using worker = await start()
    await scene.send('users', [
      { partition: 0, value: user('Ada', 'a@b.c') },
      { partition: 0, value: user('Augusta', 'a@b.c') },
      { partition: 0, value: user('Barbara', 'b@b.c') },
      { partition: 1, value: user('Grace', 'g@b.c') },
    ])
    await scene.until('it was tried three times', () => failures.length >= 3)
    await scene.until('the other partition flows', () =>
      stored.some(({ name }) => name === 'Grace'),
    )
    assert.deepEqual([...new Set(failures)], [1], 'the same offset each time')
    assert.equal(
      stored.some(({ name }) => name === 'Barbara'),
      false,
      'nothing overtook it',
    )
    await scene.until('what is finished is committed by itself', async () => {
      return (
        (await committed('users', 'users', 0)) === 1 && (await committed('users', 'users', 1)) === 1
      )
    })
    assert.deepEqual(rebalances.length, 1, 'no rebalance')
    assert.equal(await worker.stop(), 0)
  }
  isUnique = false
  {
    await using worker = await start()
    await scene.until('it resumes where it stood', () => stored.length === 4)
    assert.equal(await worker.stop(), 0)
  }
  assert.equal(await committed('users', 'users', 0), 3)
  assert.deepEqual(stored.map(({ name }) => name).toSorted(), [
    'Ada',
    'Augusta',
    'Barbara',
    'Grace',
  ])
  end()
})
