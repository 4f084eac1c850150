/**
 * 6 partitions, one to three members coming and going: no two hold a partition at once. A killed member's
 * partitions move within the session timeout.
 */
import assert from 'node:assert/strict'
import { collect, type Collector } from '../../harness/collect.ts'
import { scenario } from '../../harness/scenario.ts'
import { startMember } from '../../harness/start-member.ts'

const partitions = 6
const sessionTimeoutMs = 6000

await scenario(
  { topics: { orders: { partitions } } },
  async ({ brokers, openClient, topic, group, send, until, watch }) => {
    const groupId = group('share')
    const topics = [topic('orders')]
    const members: Collector[] = []
    watch('held', () => members.map(({ held }) => held()))
    const join = (): Collector => {
      const member = collect(openClient(), {
        groupId,
        topics,
        sessionTimeoutMs,
        heartbeatIntervalMs: 200,
      })
      members.push(member)
      return member
    }
    // Looked at on every poll, in between as well as at the end.
    const sharesOf = (): readonly number[] => {
      const held = members.flatMap((member) => member.held())
      assert.equal(new Set(held).size, held.length, `held twice: ${held.join(' ')}`)
      return members.map((member) => member.held().length)
    }
    const spread = async (what: string, each: number): Promise<void> => {
      await until(what, () => sharesOf().every((share) => share === each), { lastSeen: sharesOf })
    }

    await using first = join()
    await spread('one member holds all', 6)
    await using second = join()
    await spread('two members hold three each', 3)
    await using third = join()
    await spread('three members hold two each', 2)
    await second.close()
    members.splice(members.indexOf(second), 1)
    await spread('what the one who left held is taken over', 3)

    await using killed = startMember({ brokers, groupId, topics, sessionTimeoutMs })
    await spread('a process joins', 2)
    await until('the process is ready', killed.isReady)
    await killed.kill()
    const killedAtMs = performance.now()
    await spread('the dead one is missed', 3)
    const tookMs = performance.now() - killedAtMs
    assert.ok(tookMs < sessionTimeoutMs + 5000, `it took ${tookMs} ms`)

    await send(
      'orders',
      Array.from({ length: 60 }, (_, index) => ({
        partition: index % partitions,
        value: String(index),
      })),
    )
    const seen = (): readonly string[] =>
      members.flatMap(({ messages }) => messages.map(({ value }) => String(value)))
    await until('every message came', () => new Set(seen()).size === 60, { lastSeen: seen })
    assert.equal(seen().length, 60, 'and none twice')
    assert.ok(first.messages.length > 0 && third.messages.length > 0)
  },
)
