/** Members join and leave in good order while messages flow: each message is handled once, and those of a key in order. */
import assert from 'node:assert/strict'
import { collect, type Collector } from '../../harness/collect.ts'
import { scenario } from '../../harness/scenario.ts'

const total = 600
const keys = 24

await scenario(
  { topics: { orders: { partitions: 6 } } },
  async ({ client, openClient, topic, group, until, watch }) => {
    const seen: { readonly key: string; readonly number: number }[] = []
    watch('seen', () => seen.length)
    const join = (): Collector =>
      collect(openClient(), {
        groupId: group('billing'),
        topics: [topic('orders')],
        heartbeatIntervalMs: 50,
        onMessage: ({ key, value }) => seen.push({ key: String(key), number: Number(value) }),
      })
    const producer = client.producer()
    let sent = 0
    const sendUpTo = async (end: number): Promise<void> => {
      for (; sent < end; sent++)
        await producer.send({ topic: topic('orders'), key: `${sent % keys}`, value: `${sent}` })
    }

    const members: Collector[] = [join()]
    const steps = ['join', 'join', 'leave', 'join', 'leave', 'leave'] as const
    for (const [index, step] of steps.entries()) {
      const sending = sendUpTo(((index + 1) * total) / steps.length)
      if (step === 'join') {
        const newcomer = join()
        members.push(newcomer)
        await until('the newcomer has its share', () => newcomer.held().length > 0)
      } else await members.shift()?.close()
      await sending
    }
    await until('every message came', () => seen.length >= total)
    await Promise.all(members.map((member) => member.close()))

    assert.equal(seen.length, total, 'none twice')
    for (const numbers of Map.groupBy(seen, ({ key }) => key).values()) {
      const inOrder = numbers.map(({ number }) => number)
      assert.deepEqual(
        inOrder,
        inOrder.toSorted((left, right) => left - right),
      )
    }
  },
)
