/**
 * 4 x 10,000 numbered messages, the broker restarted halfway: strictly rising in each partition, none missing and
 * none twice. Nothing is promised about order between partitions.
 */
import assert from 'node:assert/strict'
import { scenario } from '../../harness/scenario.ts'

const partitions = 4
const perPartition = 10_000

await scenario(
  { topics: { numbers: { partitions } }, isDurable: true },
  async ({ engine, send, log }) => {
    const round = (from: number, to: number): Promise<unknown> =>
      send(
        'numbers',
        Array.from({ length: (to - from) * partitions }, (_, index) => ({
          partition: index % partitions,
          value: String(from + Math.floor(index / partitions)),
        })),
      )
    await round(0, perPartition / 2)
    // An Apache Kafka that others use is not ours to restart; there the order alone is shown.
    if (engine.name === 'embedded') await engine.restart()
    await round(perPartition / 2, perPartition)

    for (let partition = 0; partition < partitions; partition++) {
      const { records } = await log('numbers', partition)
      assert.equal(records.length, perPartition)
      for (const [index, record] of records.entries()) {
        assert.equal(record.offset, index)
        assert.equal(String(record.value), String(index))
      }
    }
  },
)
