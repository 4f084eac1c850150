/** The log stays within `retention.bytes` plus one segment, and what is left is the newest. */
import assert from 'node:assert/strict'
import { scenario } from '../../harness/scenario.ts'

const mebibyte = 1024 * 1024
const retentionBytes = 2 * mebibyte
const segmentBytes = mebibyte
const bodyBytes = 64 * 1024
const messages = 160

await scenario(
  {
    topics: {
      clicks: {
        configs: {
          'retention.bytes': String(retentionBytes),
          'segment.bytes': String(segmentBytes),
        },
      },
    },
  },
  async ({ engine, send, log, until }) => {
    const body = 'x'.repeat(bodyBytes)
    for (let from = 0; from < messages; from += 4) {
      await send(
        'clicks',
        Array.from({ length: 4 }, () => ({ value: body })),
      )
    }
    await engine.retain()
    const most = (retentionBytes + segmentBytes) / bodyBytes
    let left = messages
    await until(
      'the log has shrunk to its bound',
      async () => {
        left = (await log('clicks')).records.length
        return left <= most
      },
      { lastSeen: () => ({ left, most }) },
    )
    const { records, highWatermark } = await log('clicks')
    assert.equal(highWatermark, messages)
    assert.equal(records.at(-1)?.offset, messages - 1)
    assert.ok(records.length * bodyBytes >= retentionBytes - segmentBytes, 'not more than it must')
  },
)
