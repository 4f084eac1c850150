/**
 * The topic's `max.message.bytes` counts whole batches, compressed. A batch that is above it is split, so that every
 * message that fits alone arrives, in order; one that does not is refused by name and hurts nobody else.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { scenario } from '../../harness/scenario.ts'

const configs = { 'max.message.bytes': '2000' }
// It does not compress, so the limit counts for the compressed batch as well.
const text = (bytes: number): string => randomBytes(bytes / 2).toString('hex')

await scenario(
  { topics: { none: { configs }, gzip: { configs } } },
  async ({ client, topic, log }) => {
    for (const compression of ['none', 'gzip'] as const) {
      const producer = client.producer({ compression })
      const values = Array.from({ length: 30 }, (_, index) => `${index} ${text(500)}`)
      const large = text(8000)
      const sends = values.map((value) => producer.send({ topic: topic(compression), value }))
      const refused = producer.send({ topic: topic(compression), value: large })
      const after = producer.send({ topic: topic(compression), value: 'behind it' })
      await assert.rejects(refused, { code: 'MR_PRODUCER_MESSAGE_TOO_LARGE' })
      await Promise.all([...sends, after])
      const { records } = await log(compression)
      assert.deepEqual(
        records.map(({ value }) => String(value)),
        [...values, 'behind it'],
        compression,
      )
    }
  },
)
