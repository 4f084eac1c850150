import { Consumer, Producer, stringDeserializers, stringSerializers } from '@platformatic/kafka'
import { compressionNames } from '../../../packages/millrace/src/protocol/index.ts'
import type { Peer, PeerMessage } from './peer.ts'
import { peerContract } from './peer.contract.ts'

const peer: Peer = {
  name: '@platformatic/kafka',
  missing: undefined,
  codecs: compressionNames,
  async produce(address, topic, messages, compression) {
    const producer = new Producer({
      clientId: 'peer',
      bootstrapBrokers: [address],
      serializers: stringSerializers,
      compression,
    })
    try {
      await producer.send({ messages: messages.map((message) => ({ ...message, topic })) })
    } finally {
      await producer.close()
    }
  },
  async join(address, group, topic) {
    const messages: PeerMessage[] = []
    const consumer = new Consumer({
      clientId: 'peer',
      groupId: group,
      bootstrapBrokers: [address],
      deserializers: stringDeserializers,
      maxWaitTime: 100,
    })
    const stream = await consumer.consume({
      topics: [topic],
      mode: 'committed',
      fallbackMode: 'earliest',
      autocommit: 50,
      sessionTimeout: 10_000,
      heartbeatInterval: 200,
    })
    stream.on('data', ({ partition, offset, key, value }) => {
      messages.push({ partition, offset: Number(offset), key, value })
    })
    return {
      messages,
      async [Symbol.asyncDispose]() {
        await stream.close()
        await consumer.close(true)
      },
    }
  },
}

peerContract(peer)
