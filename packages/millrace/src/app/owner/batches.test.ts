import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { z } from 'zod'

import { driveConsumer } from '../../testing/drive-consumer.ts'
import { defineConsumer, defineTopic, failed, retry, stop, type Message } from '../index.ts'

const numbers = defineTopic('numbers', { value: z.number() })
const values = (...all: number[]): { readonly value: number }[] => all.map((value) => ({ value }))

describe('a batch', () => {
  it('holds at most maxMessages of one partition and does not wait at its end', async () => {
    const sizes: number[] = []
    const consumer = defineConsumer({
      topic: numbers,
      maxMessages: 3,
      batch(messages) {
        sizes.push(messages.size)
        assert.equal(messages.last.offset - messages.first.offset, messages.size - 1)
      },
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver(...values(1, 2, 3, 4, 5))
    assert.deepEqual(sizes, [3, 2])
    assert.deepEqual(drive.marked, [0, 1, 2, 3, 4])
  })

  it('waits for its size when told to, as long as maxWait', async () => {
    const sizes: number[] = []
    const consumer = defineConsumer({
      topic: numbers,
      maxMessages: 3,
      maxWait: '2s',
      fill: 'size',
      batch: ({ size }) => void sizes.push(size),
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver(...values(1, 2))
    assert.deepEqual(sizes, [])
    await drive.deliver(...values(3))
    assert.deepEqual(sizes, [3])
    await drive.deliver(...values(4))
    await drive.advance('2s')
    assert.deepEqual(sizes, [3, 1])
  })

  it('resumes at the first unmarked message; marked ones do not come again', async () => {
    const seen: number[][] = []
    const consumer = defineConsumer({
      topic: numbers,
      backoff: '1s',
      batch(messages, { mark, attempt }) {
        seen.push(Array.from(messages, ({ offset }) => offset))
        if (attempt > 1 || seen.length > 1) return
        for (const message of messages) if (message.offset !== 2) mark(message)
        throw new Error('at two')
      },
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver(...values(0, 1, 2, 3))
    await drive.advance('5s')
    assert.equal(drive.committed(), 4)
    assert.deepEqual(seen, [[0, 1, 2, 3], [2]])
    assert.deepEqual(drive.marked, [0, 1, 3, 2])
  })

  it('retries only what failed() names', async () => {
    const seen: number[][] = []
    const consumer = defineConsumer({
      topic: numbers,
      backoff: '1s',
      deadLetter: true,
      batch(messages) {
        seen.push(Array.from(messages, ({ offset }) => offset))
        const odd = [...messages].filter(({ value }) => value % 2 === 1)
        if (odd.length > 0)
          return failed(odd.map((message) => ({ message, error: new Error('odd') })))
        return undefined
      },
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver(...values(0, 1, 2, 3))
    assert.deepEqual(drive.marked, [0, 2])
    await drive.advance('10s')
    assert.deepEqual(seen, [
      [0, 1, 2, 3],
      [1, 3],
      [1, 3],
      [1, 3],
    ])
    assert.deepEqual(
      drive.deadLetters.map(({ headers }) => headers['millrace-source-offset']),
      ['1', '3'],
    )
    assert.equal(drive.committed(), 4)
  })

  it('that failed its last retry is run one by one, so that only the bad message goes', async () => {
    const seen: number[][] = []
    const consumer = defineConsumer({
      topic: numbers,
      retries: 1,
      backoff: '1s',
      deadLetter: true,
      batch(messages) {
        seen.push(Array.from(messages, ({ offset }) => offset))
        if ([...messages].some(({ value }) => value === 13)) throw new Error('thirteen')
      },
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver(...values(1, 13, 2))
    await drive.advance('1s')
    assert.deepEqual(seen, [[0, 1, 2], [0, 1, 2], [0], [1], [2]])
    assert.equal(drive.deadLetters.length, 1)
    assert.equal(drive.deadLetters[0]?.headers['millrace-source-offset'], '1')
    assert.deepEqual(drive.marked, [0, 1, 2])
    await drive.deliver(...values(7, 8))
    assert.deepEqual(seen.at(-1), [3, 4], 'later batches are whole again')
  })

  it('loses only the message that cannot be decoded', async () => {
    let sum = 0
    const consumer = defineConsumer({
      topic: numbers,
      deadLetter: true,
      batch(messages) {
        sum = messages.values.reduce((total, value) => total + value, 0)
      },
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver({ value: 1 }, { raw: { value: Buffer.from('"x"') } }, { value: 2 })
    assert.equal(sum, 3)
    assert.equal(drive.deadLetters[0]?.headers['millrace-source-offset'], '1')
    assert.deepEqual(new Set(drive.marked), new Set([0, 1, 2]))
  })

  it('counts as failed when failed() names a stranger', async () => {
    const stranger = { offset: 99 } as Message
    const consumer = defineConsumer({
      topic: numbers,
      backoff: '1h',
      batch: () => failed([{ message: stranger, error: new Error('x') }]),
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver(...values(1))
    assert.match(String(drive.failures[0]?.error), /not in its batch/)
    assert.deepEqual(drive.marked, [])
  })

  it('hands what was marked over no more, whether it asks for another try or throws', async () => {
    for (const offsets of ['automatic', 'manual'] as const) {
      for (const fails of ['asks', 'throws'] as const) {
        const seen: number[][] = []
        const consumer = defineConsumer({
          topic: numbers,
          offsets,
          backoff: '1s',
          batch(messages, { mark, attempt }) {
            const all = Array.from(messages)
            seen.push(all.map(({ value }) => value))
            if (attempt > 1 || seen.length > 1) return undefined
            for (const message of all.slice(0, 2)) mark(message)
            if (fails === 'throws') throw new Error('the third is too much')
            return retry()
          },
        })
        await using drive = driveConsumer(consumer)
        await drive.deliver(...values(1, 2, 3, 4))
        await drive.advance('2s')
        assert.deepEqual(
          seen,
          [
            [1, 2, 3, 4],
            [3, 4],
          ],
          `${offsets}, ${fails}`,
        )
      }
    }
  })

  it('stops the worker when told to, also with everything marked', async () => {
    const consumer = defineConsumer({
      topic: numbers,
      batch(messages, { mark }) {
        for (const message of messages) mark(message)
        return stop('the disk is full')
      },
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver(...values(1, 2))
    assert.equal(drive.critical.length, 1)
    assert.equal(drive.state().kind, 'paused')
  })
})
