/**
 * A topic is deleted and made again under a group member and a reader. Both go on at the start of the new one, also
 * when that is already longer than the old one was; nothing of it is skipped. Who had no rebalance to notice says that
 * its place is gone.
 */
import assert from 'node:assert/strict'
import { isFailure, type MillraceError } from '../../../packages/millrace/src/errors/index.ts'
import { scenario } from '../../harness/scenario.ts'
import { makeAnew } from '../../harness/topics.ts'

const fetch = { maxWaitMs: 50 }

await scenario(
  { topics: { orders: {} } },
  async ({ client, openClient, topic, group, send, until, watch }) => {
    const topics = [topic('orders')]
    await send('orders', [{ value: 'old 0' }, { value: 'old 1' }])
    const told: MillraceError[] = []
    const reader = openClient().reader({
      topics,
      to: 'forever',
      fetch,
      onError: (error) => told.push(error),
    })
    const member = openClient().joinGroup({
      groupId: group('billing'),
      topics,
      heartbeatIntervalMs: 100,
      fetch,
    })
    await Promise.all([reader.ready(), member.ready()])
    const read: string[] = []
    const handled: string[] = []
    watch('seen', () => ({ read, handled, told }))
    const bothHave = (count: number): boolean => {
      read.push(...reader.take(10).map(({ value }) => String(value)))
      for (const owned of member.owned)
        handled.push(...owned.take(10).map(({ value }) => String(value)))
      return read.length === count && handled.length === count
    }
    await until('the old ones have come', () => bothHave(2))

    await makeAnew(client, topic('orders'), { partitions: 1 })
    const producer = openClient().producer()
    for (let index = 0; index < 5; index++)
      await producer.send({ topic: topic('orders'), value: `new ${index}` })
    await until('the new ones have come', () => bothHave(7))
    const expected = ['old 0', 'old 1', 'new 0', 'new 1', 'new 2', 'new 3', 'new 4']
    assert.deepEqual(read, expected)
    assert.deepEqual(handled, expected)
    assert.ok(isFailure(told[0], 'MR_OFFSETS_LOST'))
    await Promise.all([reader.close(), member.close()])
  },
)
