/** Two groups and a reader without a group each get all messages; one of the groups gets them twice. */
import assert from 'node:assert/strict'
import { collect } from '../../harness/collect.ts'
import { scenario } from '../../harness/scenario.ts'

const sent = Array.from({ length: 200 }, (_, index) => `message ${index}`)

await scenario(
  { topics: { news: { partitions: 2 } } },
  async ({ client, topic, group, send, until }) => {
    await send(
      'news',
      sent.map((value, index) => ({ partition: index % 2, value })),
    )
    const topics = [topic('news')]

    await using mail = collect(client, { groupId: group('mail'), topics })
    await using search = collect(client, { groupId: group('search'), topics })
    for (const { messages } of [mail, search]) {
      await until('a group has all messages', () => messages.length >= sent.length, {
        lastSeen: () => messages.length,
      })
      assert.deepEqual(valuesOf(messages).toSorted(), sent.toSorted())
    }

    const read: string[] = []
    for await (const message of client.reader({ topics })) read.push(String(message.value))
    assert.deepEqual(read.toSorted(), sent.toSorted())

    for (const partition of search.member.owned) await partition.seek('earliest')
    await until(
      'the same group has them all again',
      () => search.messages.length >= 2 * sent.length,
      { lastSeen: () => search.messages.length },
    )
    assert.deepEqual(valuesOf(search.messages.slice(sent.length)).toSorted(), sent.toSorted())
    assert.equal(mail.messages.length, sent.length, 'the other group was not disturbed')
  },
)

function valuesOf(messages: readonly { readonly value: Buffer | null }[]): readonly string[] {
  return messages.map(({ value }) => String(value))
}
