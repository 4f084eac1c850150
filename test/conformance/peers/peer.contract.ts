import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { Kafka, logLevel } from 'kafkajs'
import { openEngine, type Engine } from '../../harness/engine.ts'
import { unique } from '../../harness/unique.ts'
import { until } from '../../harness/until.ts'
import type { OutgoingPeerMessage, Peer, PeerMember } from './peer.ts'

/** What every other client must be able to do with the broker, whichever engine it is. */
export function peerContract(peer: Peer, open: () => Promise<Engine> = openEngine): void {
  describe(
    `${peer.name} and the broker`,
    { skip: peer.missing ?? false, timeout: peer.timeoutMs ?? 90_000 },
    () => {
      let engine: Engine
      before(async () => {
        engine = await open()
      })
      after(async () => {
        await engine[Symbol.asyncDispose]()
      })

      for (const codec of peer.codecs) {
        it(`reads back what it wrote with ${codec}, keys kept together and in order`, async () => {
          const topic = await createTopic(engine.address, `${peer.name}-${codec}`)
          const sent = numbered(0, 60)
          await peer.produce(engine.address, topic, sent, codec)
          await using member = await peer.join(engine.address, unique(topic), topic)
          await seenBy('every message came', [member], sent)
          assertOrdered(member, sent)
        })
      }

      it('goes on after its committed offset when it joins again', async () => {
        const topic = await createTopic(engine.address, `${peer.name}-resume`)
        const group = unique(topic)
        const first = numbered(0, 20)
        await peer.produce(engine.address, topic, first, 'none')
        {
          await using member = await peer.join(engine.address, group, topic)
          await seenBy('the first round came', [member], first)
        }
        const second = numbered(20, 40)
        await peer.produce(engine.address, topic, second, 'none')
        await using again = await peer.join(engine.address, group, topic)
        await seenBy('the second round came', [again], second)
        assert.deepEqual(
          again.messages.map(({ value }) => value).toSorted(),
          second.map(({ value }) => value).toSorted(),
        )
      })

      it('shares a topic between two members of a group', async () => {
        const topic = await createTopic(engine.address, `${peer.name}-pair`)
        const group = unique(topic)
        await using left = await peer.join(engine.address, group, topic)
        await using right = await peer.join(engine.address, group, topic)
        // Rounds, because nobody says from outside when both have their share.
        const endMs = performance.now() + shareTimeoutMs
        for (let round = 0; performance.now() < endMs; round++) {
          const sent = numbered(round * 40, round * 40 + 40)
          await peer.produce(engine.address, topic, sent, 'none')
          await seenBy(`all of round ${round} came`, [left, right], sent)
          const values = new Set(sent.map(({ value }) => value))
          const shares = [left, right].map(
            ({ messages }) => messages.filter(({ value }) => values.has(value)).length,
          )
          if (shares.every((share) => share > 0)) return
        }
        assert.fail('one of two members never had a share')
      })
    },
  )
}

const partitions = 4
const shareTimeoutMs = 30_000

async function createTopic(address: string, name: string): Promise<string> {
  const topic = unique(name.replace(/[^\w.-]/g, '-'))
  const kafka = new Kafka({ clientId: 'setup', brokers: [address], logLevel: logLevel.NOTHING })
  const admin = kafka.admin()
  await admin.connect()
  try {
    await admin.createTopics({ topics: [{ topic, numPartitions: partitions }] })
  } finally {
    await admin.disconnect()
  }
  return topic
}

function numbered(from: number, to: number): readonly OutgoingPeerMessage[] {
  return Array.from({ length: to - from }, (_, index) => ({
    key: `key-${(from + index) % 13}`,
    value: `value-${from + index}`,
  }))
}

async function seenBy(
  what: string,
  members: readonly PeerMember[],
  sent: readonly OutgoingPeerMessage[],
): Promise<void> {
  const missing = (): readonly string[] => {
    const seen = new Set(members.flatMap(({ messages }) => messages.map(({ value }) => value)))
    return sent.map(({ value }) => value).filter((value) => !seen.has(value))
  }
  await until(what, () => missing().length === 0, {
    deadline: 40_000,
    lastSeen: () => ({ missing: missing().slice(0, 5), of: sent.length }),
  })
}

function assertOrdered(member: PeerMember, sent: readonly OutgoingPeerMessage[]): void {
  assert.equal(member.messages.length, sent.length)
  const partitionByKey = new Map<string, number>()
  for (const { key, partition } of member.messages) {
    assert.equal(partitionByKey.get(key) ?? partition, partition, `${key} is in two partitions`)
    partitionByKey.set(key, partition)
  }
  for (let partition = 0; partition < partitions; partition++) {
    const inPartition = member.messages.filter((message) => message.partition === partition)
    assert.deepEqual(
      inPartition.map(({ offset }) => offset),
      inPartition.map((_, index) => index),
    )
    assert.deepEqual(
      inPartition.map(({ key, value }) => ({ key, value })),
      sent.filter(({ key }) => partitionByKey.get(key) === partition),
    )
  }
}
