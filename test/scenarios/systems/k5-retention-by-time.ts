/**
 * Old segments go and the log start rises; a group whose position went with them is told how many messages it
 * lost, and goes on with the first that is left.
 */
import assert from 'node:assert/strict'
import { collect } from '../../harness/collect.ts'
import { scenario } from '../../harness/scenario.ts'

const hourMs = 3_600_000
const configs = { 'retention.ms': String(hourMs), 'segment.bytes': String(1024 * 1024) }
/** Four segments of it. */
const body = 'x'.repeat(100 * 1024)

await scenario(
  { topics: { clicks: { configs } } },
  async ({ engine, client, topic, group, send, log, until }) => {
    const clicks = topic('clicks')
    const groupId = group('slow')
    const nowMs = Date.now()
    const old = Array.from({ length: 40 }, () => ({ value: body, timestamp: nowMs - 2 * hourMs }))
    for (let from = 0; from < old.length; from += 5) await send('clicks', old.slice(from, from + 5))
    await client.admin.setOffsets(groupId, [{ topic: clicks, partition: 0, offset: 3 }])
    // Large, so that it begins a segment of its own.
    await send('clicks', [{ value: body.repeat(9), timestamp: nowMs }])

    await engine.retain()
    await until('the old segments are gone', async () => {
      return (await log('clicks')).logStartOffset > 3
    })
    const { logStartOffset, records, highWatermark } = await log('clicks')
    assert.equal(highWatermark, 41)
    assert.equal(records[0]?.offset, logStartOffset)
    assert.equal(records.at(-1)?.timestamp, nowMs, 'what is young is there')

    const lost: unknown[] = []
    await using slow = collect(client, {
      groupId,
      topics: [clicks],
      onError: (error) => lost.push(error.code, error.context['count']),
    })
    await until('the group goes on', () => slow.messages.at(-1)?.offset === 40, {
      lastSeen: () => ({ lost, offsets: slow.messages.map(({ offset }) => offset) }),
    })
    assert.equal(slow.messages[0]?.offset, logStartOffset)
    assert.deepEqual(lost, ['MR_OFFSETS_LOST', logStartOffset - 3])
  },
)
