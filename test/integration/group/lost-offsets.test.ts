import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openClient } from '../../../packages/millrace/src/client/index.ts'
import { isFailure, type MillraceError } from '../../../packages/millrace/src/errors/index.ts'
import { events } from '../../../packages/millrace/src/telemetry/index.ts'
import { scriptedBroker } from '../../../packages/millrace/src/testing/index.ts'
import { batchOf, listing, serving, topic, until } from './support/scripting.ts'

const logs = [{ batches: [batchOf(100, 5)], logStart: 100 }]

async function join(outOfRange: 'earliest' | 'latest' | 'fail', committedOffset: number) {
  const broker = await scriptedBroker({
    topics: { [topic]: { partitions: 1 } },
    on: {
      fetch: serving(logs),
      listOffsets: listing(logs),
      offsetFetch: ({ groups }) => ({
        groups: groups.map(({ groupId }) => ({
          groupId,
          topics: [
            { name: topic, partitions: [{ partitionIndex: 0, committedOffset, metadata: 'm' }] },
          ],
        })),
      }),
    },
  })
  const client = openClient({ brokers: [broker.address] })
  const errors: MillraceError[] = []
  const member = client.joinGroup({
    groupId: 'g',
    topics: [topic],
    outOfRange,
    onError: (error) => errors.push(error),
  })
  await member.ready()
  const [partition] = member.owned
  assert.ok(partition)
  assert.deepEqual(partition.committed, { offset: committedOffset, metadata: 'm' })
  return {
    partition,
    errors,
    async [Symbol.asyncDispose]() {
      await client.close()
      await broker.close()
    },
  }
}

describe('a position outside the log', () => {
  it('goes on at the oldest message and tells how many were lost', async () => {
    const told: unknown[] = []
    using stop = new DisposableStack()
    stop.defer(events.offsetsLost.subscribe((event) => told.push(event)))
    await using group = await join('earliest', 42)
    await group.partition.available()
    assert.equal(group.partition.take(1)[0]?.offset, 100)
    assert.ok(isFailure(group.errors[0], 'MR_OFFSETS_LOST'))
    assert.deepEqual(told, [
      { clientId: 'millrace', topic, partition: 0, offset: 42, newOffset: 100, count: 58 },
    ])
  })

  it('goes on at the end where that is declared', async () => {
    await using group = await join('latest', 42)
    await until('told', () => group.errors.length > 0)
    assert.equal(group.partition.position, 105)
    assert.equal(group.errors[0]?.context['count'], 63)
  })

  it('stands still where that is declared, until it is told where to go', async () => {
    await using group = await join('fail', 42)
    await assert.rejects(
      group.partition.available(),
      (error) => isFailure(error, 'MR_OFFSET_OUT_OF_RANGE') && /100 up to 105/.test(error.message),
    )
    assert.equal(group.errors.length, 1)
    await group.partition.seek('earliest')
    await group.partition.available()
    assert.equal(group.partition.take(1)[0]?.offset, 100)
  })

  it('counts nothing as lost when the log has become shorter', async () => {
    await using group = await join('earliest', 900)
    await group.partition.available()
    assert.equal(group.errors[0]?.context['count'], 0)
    assert.equal(group.partition.take(1)[0]?.offset, 100)
  })
})
