import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { isFailure } from '../../errors/index.ts'
import { resolveConfig } from '../config/resolve-config.ts'
import { defineApp, defineConsumer, defineTopic } from '../index.ts'
import type { Job } from '../middleware/middleware.ts'
import { CrashCounts, isAbrupt, withoutKillers } from './crashes.ts'

const place = { group: 'mail', topic: 'orders', partition: 1, offset: 7 }

describe('a message that kills its process', () => {
  it('is counted by its place, up to the limit', () => {
    const counts = new CrashCounts(2)
    counts.add(place)
    counts.add({ ...place, offset: 8 })
    assert.deepEqual(counts.killers, [])
    counts.add(place)
    assert.deepEqual(counts.killers, [{ ...place, crashes: 2 }])
  })

  it('ends it abruptly: by a signal, or with a code that no worker says', () => {
    for (const code of [0, 1, 2, 3]) assert.equal(isAbrupt({ code, signal: null }), false)
    for (const code of [7, 134]) assert.equal(isAbrupt({ code, signal: null }), true)
    assert.equal(isAbrupt({ code: null, signal: 'SIGSEGV' }), true)
  })

  it('is handed to no handler any more, and others are', () => {
    const consumers = ['mail', 'search'].map((group) =>
      defineConsumer({ topic: defineTopic('orders'), name: group, group, each() {} }),
    )
    const app = defineApp({ consumers: consumers.slice(0, 1) })
    const resolved = resolveConfig({ app }, { env: {} })
    assert.equal(withoutKillers(resolved, []), resolved)
    const [plan] = withoutKillers(resolved, [{ ...place, crashes: 5 }]).plans
    const handled: number[] = []
    const call = plan?.wrap((job) => handled.push(job.messages[0]?.offset ?? -1))
    const job = (offset: number, partition = 1): Job =>
      ({ topic: 'orders', partition, messages: [{ offset }] }) as unknown as Job
    call?.(job(6))
    call?.(job(7, 0))
    assert.throws(
      () => call?.(job(7)),
      (error: unknown) => isFailure(error, 'MR_WORKER_KILLED') && /orders\/1@7/.test(error.message),
    )
    assert.deepEqual(handled, [6, 7])
    assert.ok(plan?.retry.nonRetryable.includes('MR_WORKER_KILLED'), 'no attempt more')
  })
})
