/** Headers are a list: order and repeats survive, an empty value is not null, bytes are not text. */
import assert from 'node:assert/strict'
import { scenario } from '../../harness/scenario.ts'

const headers = [
  ['trace', 'a'],
  ['kind', null],
  ['trace', Buffer.from([0xff, 0x00, 0xfe])],
  ['', 'no name'],
  ['trace', ''],
  ['größe', 'ü💙'],
] as const satisfies readonly (readonly [string, Buffer | string | null])[]

await scenario({ topics: { orders: {} } }, async ({ client, topic, log }) => {
  for (const compression of ['none', 'zstd'] as const) {
    const producer = client.producer({ compression })
    await producer.send({ topic: topic('orders'), value: 'x', headers })
    await producer.send({ topic: topic('orders'), value: 'none' })
  }
  const expected = headers.map(([name, value]) => [
    name,
    typeof value === 'string' ? Buffer.from(value) : value,
  ])
  const read = await Array.fromAsync(client.reader({ topics: [topic('orders')] }))
  assert.deepEqual(
    read.map((message) => message.headers),
    [expected, [], expected, []],
  )
  const { records } = await log('orders')
  assert.deepEqual(records[0]?.headers, expected)
})
