import assert from 'node:assert/strict'
import { it } from 'node:test'

import {
  deadLetter,
  defineApp,
  defineConsumer,
  defineTopic,
  failed,
  retry,
  skip,
  type ConsumerDefinition,
} from '../../../packages/millrace/src/app/index.ts'
import { startTestApp, watchInvariants } from '../../../packages/millrace/src/testing/index.ts'

const orders = defineTopic('orders', { partitions: 3 })

/** Numbers that look like chance and come again with their seed. */
function chanceOf(seed: number): (below: number) => number {
  let state = seed * 2_654_435_761 + 1
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Consumers of every form, whose handlers do this and that. */
function consumersOf(chance: (below: number) => number): readonly ConsumerDefinition[] {
  const whatever = async (attempt: number): Promise<unknown> => {
    await pause(chance(4))
    // Nothing fails for ever, so that everything ends.
    if (attempt > 3) return undefined
    switch (chance(12)) {
      case 0:
        throw new Error('no answer')
      case 1:
        return retry({ after: chance(20) })
      case 2:
        return skip('not for us')
      case 3:
        return deadLetter('no such customer')
      default:
        return undefined
    }
  }
  const common = { topic: orders, backoff: '5ms', deadLetter: true, retries: 5 } as const
  return [
    defineConsumer({ ...common, group: 'each', each: (_, { attempt }) => whatever(attempt) }),
    defineConsumer({
      ...common,
      group: 'lanes',
      concurrency: 4,
      each: (_, { attempt }) => whatever(attempt),
    }),
    defineConsumer({
      ...common,
      group: 'batch',
      maxMessages: 7,
      async batch(messages, { attempt, mark }) {
        await pause(chance(4))
        if (attempt > 3) return undefined
        const [first] = messages
        if (chance(3) === 0) mark(first)
        if (chance(4) === 0) return failed([{ message: messages.last, error: new Error('no') }])
        if (chance(6) === 0) throw new Error('no batch')
        return undefined
      },
    }),
    defineConsumer({
      ...common,
      group: 'manual',
      offsets: 'manual',
      async each(message, { attempt, mark, commit }) {
        const outcome = await whatever(attempt)
        if (outcome === undefined) mark(message)
        if (chance(5) === 0) await commit()
        return outcome
      },
    }),
  ]
}

const seeds = process.env['MILLRACE_TEST_SEED'] ?? '1,2,3'

for (const seed of seeds.split(',').map(Number)) {
  it(`everything promised holds over crashes, rebalances and lost answers (seed ${seed})`, async () => {
    const chance = chanceOf(seed)
    const declared = defineApp({
      consumers: consumersOf(chance),
      defaults: { commit: { interval: '20ms' } },
    })
    await using app = await startTestApp({ clientId: 'shop', app: declared })
    const watch = watchInvariants(app)
    let sent = 0
    for (let round = 0; round < 6; round++) {
      const sends = Array.from({ length: 20 }, () =>
        app.send(orders, { key: String(chance(9)), value: ++sent }),
      )
      await pause(chance(30))
      switch (chance(5)) {
        case 0:
          await app.crash()
          break
        case 1:
          await app.rebalance()
          break
        case 2:
          app.broker.fail('offsetCommit', { close: chance(2) ? 'before' : 'after', times: 1 })
          break
        case 3:
          app.broker.fail('fetch', { error: 'NOT_LEADER_OR_FOLLOWER', times: 2 })
          break
        default:
          app.pauseBroker({ for: chance(50) })
      }
      await Promise.all(sends)
    }
    // By hand, what nobody has marked stays open; behind a last mark nothing is.
    for (const group of ['each', 'lanes', 'batch'])
      for (let partition = 0; partition < 3; partition++) {
        const end = (await app.messages(orders)).filter((own) => own.partition === partition)
        const untilMs = performance.now() + 15_000
        while ((await app.committed(group, orders, partition)) !== end.length) {
          if (end.length === 0) break
          assert.ok(performance.now() < untilMs, `${group} orders/${partition} does not end`)
          await pause(10)
        }
      }
    await watch.check()
  })
}
