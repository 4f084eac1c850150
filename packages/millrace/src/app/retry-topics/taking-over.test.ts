import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { manualClock } from '../../kit/index.ts'
import { planConsumer } from '../consumer/plan-consumer.ts'
import { defineConsumer, defineTopic } from '../index.ts'
import { DeliveredMessage } from '../message/message.ts'
import type { Pacing } from '../pacing/pacing.ts'
import type { SourceMessage } from '../ports.ts'
import { encodeParked, MemoryParkedLog, type ParkedFeed } from './parked-log.ts'

const users = defineTopic('users')
const parkedTopic = 'users-retry-mail-parked'

/** Nothing comes before it is let through: brokers are slow, and others have written. */
class SlowLog extends MemoryParkedLog {
  isOpen = true

  override follow(topic: string, partition: number): ParkedFeed {
    const feed = super.follow(topic, partition)
    const take = feed.take.bind(feed)
    // Getters stay those of the feed.
    return Object.defineProperty(feed, 'take', { value: () => (this.isOpen ? take() : []) })
  }
}

function message(offset: number, key: string): DeliveredMessage {
  const source: SourceMessage = {
    topic: 'users',
    partition: 0,
    offset,
    timestamp: 0,
    timestampType: 'create',
    key: Buffer.from(key),
    value: Buffer.from('1'),
    headers: [],
    receivedAt: 0,
  }
  return new DeliveredMessage(source, users)
}

describe('a source partition that comes to a worker', () => {
  it('waits for what its last owner parked, although its retry topics were here before', () => {
    const consumer = defineConsumer({
      topic: users,
      group: 'mail',
      retryTopics: { delays: ['30s'], order: 'key' },
      deadLetter: true,
      each: () => undefined,
    })
    const { plan } = planConsumer(consumer, {
      app: {},
      group: {},
      groupId: (group) => group,
      wireName: (name) => name,
      responders: new Map(),
    })
    const log = new SlowLog()
    const clock = manualClock()
    const send = (): Promise<never> => Promise.reject(new Error('not asked for here'))
    plan.retryTopics?.keyOrder?.attach({ log, send, clock })
    const silent = { debug() {}, info() {}, warn() {}, error() {} }
    const pacingOf = (topic: string): Pacing =>
      plan.makePacing?.({
        group: 'mail',
        consumer: 'users',
        topic,
        partition: 0,
        state: {},
        log: silent,
      }) ?? assert.fail('there is none')
    const now = { nowMs: clock.now(), attempt: 1 }

    const retries = pacingOf('users-retry-mail-30s')
    assert.equal(retries.admit(message(1, 'other'), now).kind, 'go')
    log.isOpen = false
    const record = { key: Buffer.from('k').toString('base64'), tier: 0, dueMs: now.nowMs + 1000 }
    log.append(parkedTopic, 0, Buffer.from('5'), Buffer.from(encodeParked(record)))

    const source = pacingOf('users')
    assert.equal(source.admit(message(6, 'k'), now).kind, 'wait', 'not read yet')
    log.isOpen = true
    assert.equal(source.admit(message(6, 'k'), now).kind, 'depart', 'behind what was parked')
    assert.equal(source.admit(message(7, 'x'), now).kind, 'go')
  })
})
