import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { events } from '../../telemetry/index.ts'
import { driveConsumer } from '../../testing/drive-consumer.ts'
import { defineConsumer, defineTopic } from '../index.ts'

const users = defineTopic('users')

describe('a partition that stays at one offset', () => {
  it('is listed as stuck after five minutes, and told once', async () => {
    const consumer = defineConsumer({
      topic: users,
      backoff: '1h',
      each() {
        throw new Error('no such customer')
      },
    })
    await using drive = driveConsumer(consumer)
    const told: object[] = []
    const unsubscribe = events.partitionStuck.subscribe(({ offset, attempts, forMs, topic }) =>
      told.push({ topic, offset, attempts, forMs }),
    )
    await drive.deliver({ value: 1 })
    const since = drive.clock.now()
    await drive.advance('299s')
    assert.equal(drive.owner().report().stuck, undefined)
    assert.equal(drive.owner().report().failing?.offset, 0)
    await drive.advance('1s')
    assert.deepEqual(drive.owner().report().stuck, { offset: 0, sinceMs: since, attempts: 1 })
    await drive.advance('2h')
    assert.deepEqual(told, [{ topic: 'users', offset: 0, attempts: 1, forMs: 300_000 }])
    unsubscribe()
  })
})

describe('the metadata of a commit', () => {
  it('is given with a mark and read back where the partition goes', async () => {
    const found: string[] = []
    const consumer = defineConsumer({
      topic: users,
      each(message, { mark }) {
        mark(message, { metadata: `seen ${message.offset}` })
      },
      hooks: { assigned: ({ metadata }) => void found.push(metadata) },
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver({ value: 1 }, { value: 2 })
    await drive.advance('5s')
    assert.equal(drive.committedMetadata(), 'seen 1')
    drive.crash()
    await drive.settle()
    assert.deepEqual(found, ['', 'seen 1'])
  })

  it('refuses what no commit can carry', async () => {
    const consumer = defineConsumer({
      topic: users,
      backoff: '1h',
      each: (message, { mark }) => void mark(message, { metadata: 'x'.repeat(4087) }),
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver({ value: 1 })
    assert.match(String(drive.failures[0]?.error), /4087 bytes/)
    assert.deepEqual(drive.marked, [])
  })
})

describe('pause', () => {
  it('goes on where it was told to, with nothing of this call marked', async () => {
    const seen: number[] = []
    const consumer = defineConsumer({
      topic: users,
      each(message, { pause }) {
        seen.push(message.offset)
        if (message.offset === 2 && seen.length < 5) pause({ for: '1m', from: 1 })
        if (message.offset === 3 && seen.length < 8) pause({ for: '1m', from: message })
      },
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver(...[0, 1, 2, 3].map((value) => ({ value })))
    assert.deepEqual(seen, [0, 1, 2])
    assert.equal(drive.state().kind, 'paused')
    await drive.advance('1m')
    assert.deepEqual(seen, [0, 1, 2, 1, 2, 3])
    await drive.advance('1m')
    assert.deepEqual(seen, [0, 1, 2, 1, 2, 3, 3])
    await drive.advance('1m')
    assert.deepEqual(seen, [0, 1, 2, 1, 2, 3, 3, 3])
    await drive.advance('5s')
    assert.equal(drive.committed(), 4)
  })
})

describe('quiet', () => {
  it('is reached beside a blocked partition that holds messages', async () => {
    const consumer = defineConsumer({
      topic: users,
      retries: 0,
      exhausted: 'block',
      each() {
        throw new Error('never')
      },
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver({ value: 1 }, { value: 2 })
    assert.equal(drive.state().kind, 'blocked')
    drive.owner().quiet()
    assert.equal(drive.owner().isDry, true)
  })
})
