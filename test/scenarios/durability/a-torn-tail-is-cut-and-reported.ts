/**
 * Half a batch at the end of a log, as a crash in mid-write leaves it: the next start cuts it, says how much and where,
 * and what stood before it is untouched. The start after that has nothing to say.
 */
import assert from 'node:assert/strict'
import { appendFile, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openClient } from '../../../packages/millrace/src/client/index.ts'
import { onlyOurs, startBrokerCommand } from '../../harness/broker-command.ts'
import { readLog } from '../../harness/read-log.ts'
import { scenario } from '../../harness/scenario.ts'
import { createTopics } from '../../harness/topics.ts'

await scenario({ skipOn: onlyOurs }, async () => {
  await using broker = await startBrokerCommand()
  const send = async (value: string): Promise<number> => {
    await using client = openClient({ brokers: [broker.address] })
    return (await client.producer().send({ topic: 'orders', partition: 1, value })).offset
  }
  {
    await using client = openClient({ brokers: [broker.address] })
    await createTopics(client, { orders: { partitions: 2 } })
  }
  for (const value of ['a', 'b', 'c']) await send(value)
  await broker.kill()

  const files = await readdir(broker.folder, { recursive: true })
  const logs = files
    .filter((name) => name.endsWith('.log'))
    .map((name) => join(broker.folder, name))
  const torn: number[] = []
  for (const path of logs) {
    const bytes = await readFile(path)
    if (!bytes.includes('c')) continue
    // The last of three like batches once more, all but its last bytes.
    const batch = bytes.subarray(bytes.length - bytes.length / 3, bytes.length - 5)
    torn.push(batch.length)
    await appendFile(path, batch)
  }
  assert.equal(torn.length, 1)

  await broker.start()
  assert.match(
    broker.said(),
    new RegExp(`^repaired orders/1: cut ${torn[0]} bytes at offset 3 \\(`, 'm'),
  )
  assert.equal(await send('d'), 3)
  await using client = openClient({ brokers: [broker.address] })
  assert.deepEqual(
    (await readLog(client, 'orders', 1)).records.map(({ value }) => String(value)),
    ['a', 'b', 'c', 'd'],
  )
  const { code, stderr } = await broker.stop()
  assert.deepEqual([code, /stopping/.test(stderr)], [0, true])
  await broker.start()
  assert.equal(broker.said(), '')
})
