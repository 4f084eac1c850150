/**
 * Nothing is forgotten; reading from a date begins at the first message at or after it; a stopped group is moved to
 * a date, to the end and to the beginning, and reads from there.
 */
import assert from 'node:assert/strict'
import { collect } from '../../harness/collect.ts'
import { scenario } from '../../harness/scenario.ts'

const dayMs = 86_400_000
const firstMs = Date.UTC(2019, 0, 1)
const days = 60

await scenario(
  { topics: { ledger: { configs: { 'retention.ms': '-1' } } } },
  async ({ engine, client, topic, group, send, log, until }) => {
    const ledger = topic('ledger')
    for (let day = 0; day < days; day++) {
      await send('ledger', [{ value: `day ${day}`, timestamp: firstMs + day * dayMs }])
    }
    await engine.retain()
    assert.equal((await log('ledger')).logStartOffset, 0)

    const from = { timestampMs: firstMs + 41 * dayMs - 1 }
    const read: number[] = []
    for await (const { offset } of client.reader({ topics: [ledger], from })) read.push(offset)
    assert.deepEqual([read[0], read.length], [41, days - 41])

    const groupId = group('audit')
    // Each round leaves one message behind, which the next one counts on.
    const rounds = [
      ['a date', firstMs + 20 * dayMs, 20],
      ['the end', 'latest', days + 1],
      ['the beginning', 'earliest', 0],
    ] as const
    for (const [what, at, offset] of rounds) {
      const place = { topic: ledger, partition: 0 }
      const [found] = await client.admin.listOffsets([{ ...place, at }])
      assert.equal(found?.offset, offset, what)
      const [moved] = await client.admin.setOffsets(groupId, [{ ...place, offset }])
      assert.equal(moved?.error, undefined, what)

      await using audit = collect(client, { groupId, topics: [ledger], commits: 'never' })
      await audit.member.ready()
      const [last] = await send('ledger', [{ value: `read from ${what}`, timestamp: firstMs }])
      await until(
        `the group has read from ${what}`,
        () => audit.messages.at(-1)?.offset === last?.offset,
        { lastSeen: () => audit.messages.length },
      )
      assert.equal(audit.messages[0]?.offset, offset, what)
    }
  },
)
