/**
 * A position that is not in the log any more, or not yet: `earliest` and `latest` go on there and tell what was lost,
 * `fail` stands still, names both ends, and goes on after a seek. Nothing is skipped in silence.
 */
import assert from 'node:assert/strict'
import type { GroupMember } from '../../../packages/millrace/src/client/index.ts'
import { isFailure, type MillraceError } from '../../../packages/millrace/src/errors/index.ts'
import { scenario } from '../../harness/scenario.ts'

type Policy = 'earliest' | 'latest' | 'fail'

await scenario({ topics: { orders: {} } }, async ({ client, topic, group, send, until }) => {
  const place = { topic: topic('orders'), partition: 0 }
  await send(
    'orders',
    Array.from({ length: 10 }, (_, index) => ({ value: `${index}` })),
  )
  await client.admin.deleteRecords([{ ...place, before: 4 }])

  const join = async (
    outOfRange: Policy,
    offset: number,
  ): Promise<{ readonly member: GroupMember; readonly told: readonly MillraceError[] }> => {
    const groupId = group(`${outOfRange}-${offset}`)
    await client.admin.setOffsets(groupId, [{ ...place, offset }])
    const told: MillraceError[] = []
    const member = client.joinGroup({
      groupId,
      topics: [place.topic],
      outOfRange,
      onError: (error) => told.push(error),
    })
    await member.ready()
    return { member, told }
  }

  for (const [policy, from, to, lost] of [
    ['earliest', 1, 4, 3],
    ['latest', 1, 10, 9],
    ['earliest', 99, 4, undefined],
    ['latest', 99, 10, undefined],
  ] as const) {
    const what = `${policy} from ${from}`
    const { member, told } = await join(policy, from)
    const [partition] = member.owned
    await until(`${what} is told`, () => told.length > 0)
    const [error] = told
    assert.ok(isFailure(error, 'MR_OFFSETS_LOST'), what)
    assert.deepEqual([error.context['offset'], error.context['newOffset']], [from, to], what)
    if (lost !== undefined) assert.equal(error.context['count'], lost, what)
    assert.equal(partition?.position, to, what)
    if (policy === 'earliest') {
      await partition.available()
      assert.equal(partition.take(1)[0]?.offset, to, what)
    }
    await member.close()
  }

  const { member, told } = await join('fail', 1)
  const [partition] = member.owned
  assert.ok(partition)
  await assert.rejects(partition.available(), {
    code: 'MR_OFFSET_OUT_OF_RANGE',
    message: /offset 1 .*4 up to 10/,
  })
  assert.equal(told.length, 1)
  await partition.seek('earliest')
  await partition.available()
  assert.equal(partition.take(1)[0]?.offset, 4)
  await member.close()
})
