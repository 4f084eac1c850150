/**
 * When `flush` returns, every send before it is settled: delivered, or refused with its reason. It does not reject for
 * them, and it does not wait for what is sent after it.
 */
import assert from 'node:assert/strict'
import { scenario } from '../../harness/scenario.ts'

await scenario({ topics: { orders: { partitions: 3 } } }, async ({ client, topic, log }) => {
  const producer = client.producer({ lingerMs: 60_000, maxMessageBytes: 1000 })
  const verdicts: string[] = []
  for (let index = 0; index < 300; index++) {
    const value = index % 100 === 7 ? 'x'.repeat(2000) : `order ${index}`
    void producer.send({ topic: topic('orders'), partition: index % 3, value }).then(
      () => verdicts.push('delivered'),
      (error: { code: string }) => verdicts.push(error.code),
    )
  }
  await producer.flush({ timeoutMs: 10_000 })
  assert.equal(producer.buffered.messages, 0)
  const counts = Map.groupBy(verdicts, (verdict) => verdict)
  assert.equal(counts.get('delivered')?.length, 297)
  assert.equal(counts.get('MR_PRODUCER_MESSAGE_TOO_LARGE')?.length, 3)
  const logs = await Promise.all([0, 1, 2].map((partition) => log('orders', partition)))
  assert.equal(logs.flatMap(({ records }) => records).length, 297)

  const flushed = producer.flush()
  const later = producer.send({ topic: topic('orders'), value: 'after' })
  await flushed
  assert.equal(producer.buffered.messages, 1, 'it lingers, the flush did not wait for it')
  await producer.close()
  await later
})
