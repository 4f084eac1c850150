import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { crc32 } from 'node:zlib'
import { startTestGateway, type TestGateway } from '../../harness/gateway.ts'
import { earliest, named, nothingCame, taken } from './consumers.ts'

const partitions = 7

/** Where each key's message came to lie, by its key, which is its value too. */
async function placesOf(
  gateway: TestGateway,
  keys: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  await gateway.createTopic('keys', partitions)
  const producer = await gateway.dial()
  for (const key of keys)
    assert.equal(await producer.command('RPUSHX', `topics:keys:${key}`, key), ':1\r\n')
  const consumer = await named(gateway, 'places:one')
  const places = new Map<string, number>()
  while (places.size < keys.length) {
    const reply = await consumer.command('BLPOP', `topics:keys:${earliest}`, '5')
    assert.notEqual(reply, nothingCame)
    const { value, partition } = taken(reply)
    places.set(value, partition)
  }
  return places
}

describe('where messages go', () => {
  const keys = [
    'foobar',
    'a-little-bit-long-string',
    'a-little-bit-longer-string',
    'abc',
    '21',
    'x y',
  ]

  it('follows the hash of the Java client unless told otherwise', async () => {
    // Vectors of the murmur2 of Kafka's own tests.
    const hashes: Readonly<Record<string, number>> = {
      '21': -973_932_308,
      foobar: -790_332_482,
      'a-little-bit-long-string': -985_981_536,
      'a-little-bit-longer-string': -1_486_304_829,
      abc: 479_470_107,
    }
    await using gateway = await startTestGateway()
    const known = Object.keys(hashes)
    const places = await placesOf(gateway, known)
    for (const key of known)
      assert.equal(places.get(key), ((hashes[key] ?? 0) & 0x7fffffff) % partitions, key)
  })

  for (const partitioner of ['consistent', 'consistent_random'])
    it(`follows CRC-32 with ${partitioner}, as librdkafka does`, async () => {
      await using gateway = await startTestGateway({ producer: { partitioner } })
      const places = await placesOf(gateway, keys)
      for (const key of keys) assert.equal(places.get(key), crc32(key) % partitions, key)
    })

  it('is anywhere for empty keys and none with consistent_random', async () => {
    await using gateway = await startTestGateway({
      producer: { partitioner: 'consistent_random', 'linger.ms': 0 },
    })
    await gateway.createTopic('anywhere', partitions)
    const producer = await gateway.dial()
    for (const key of ['topics:anywhere', 'topics:anywhere:'])
      for (let at = 0; at < 40; at++) {
        assert.equal(await producer.command('RPUSHX', key, 'x'), ':1\r\n')
        assert.equal(await producer.command('DUMP', '5000'), ':0\r\n')
      }
    const ends = await gateway.client.admin.listOffsets(
      Array.from({ length: partitions }, (_, partition) => ({
        topic: 'anywhere',
        partition,
        at: 'latest' as const,
      })),
    )
    assert.ok(ends.filter(({ offset }) => offset > 0).length > 1, JSON.stringify(ends))
    assert.equal(
      ends.reduce((sum, { offset }) => sum + offset, 0),
      80,
    )
  })

  it('is the same order for five producers at once, each in its own', async () => {
    await using gateway = await startTestGateway()
    await gateway.createTopic('order', 3)
    const count = 300
    await Promise.all(
      Array.from({ length: 5 }, async (_, who) => {
        const connection = await gateway.dial()
        let pipeline = ''
        for (let at = 0; at < count; at++)
          pipeline += `rpushx topics:order:k${at % 4} ${who}:${at}\r\n`
        connection.write(pipeline)
        for (let at = 0; at < count; at++) assert.equal(await connection.reply(), ':1\r\n')
        assert.equal(await connection.command('DUMP', '10000'), ':0\r\n')
      }),
    )
    const consumer = await named(gateway, 'order:one')
    const last = new Map<string, number>()
    for (let seen = 0; seen < 5 * count; seen++) {
      const reply = await consumer.command('BLPOP', `topics:order:${earliest}`, '5')
      const { partition, value } = taken(reply)
      const [who = '', at = ''] = value.split(':')
      const place = `${who} in ${partition}`
      assert.ok(Number(at) > (last.get(place) ?? -1), `${value} in ${partition}`)
      last.set(place, Number(at))
    }
  })
})
