import { compressionCodecs, CompressionType, KafkaClient } from '@kafkats/client'
import {
  compress,
  compressionNames,
  decompress,
} from '../../../packages/millrace/src/protocol/index.ts'
import type { Peer, PeerMessage } from './peer.ts'
import { peerContract } from './peer.contract.ts'

// Finds gzip, snappy and lz4 by itself, as plug-ins; its zstd plug-ins are not installed here.
compressionCodecs.register(CompressionType.Zstd, {
  compress: (bytes) => Promise.resolve(compress('zstd', bytes)),
  decompress: (bytes) => Promise.resolve(decompress('zstd', bytes, 1 << 26)),
})

const peer: Peer = {
  name: '@kafkats/client',
  missing: undefined,
  codecs: compressionNames,
  async produce(address, topic, messages, compression) {
    const client = clientOf(address)
    await client.connect()
    const producer = client.producer({ compression })
    try {
      await producer.send(
        topic,
        messages.map(({ key, value }) => ({ key, value: Buffer.from(value) })),
      )
    } finally {
      await producer.disconnect()
      await client.disconnect()
    }
  },
  async join(address, group, topic) {
    const messages: PeerMessage[] = []
    const client = clientOf(address)
    await client.connect()
    const consumer = client.consumer({
      groupId: group,
      autoOffsetReset: 'earliest',
      maxWaitMs: 100,
      heartbeatIntervalMs: 200,
    })
    const running = consumer.runEach(
      topic,
      ({ partition, offset, key, value }) => {
        messages.push({ partition, offset: Number(offset), key: String(key), value: String(value) })
        return Promise.resolve()
      },
      { autoCommitIntervalMs: 50 },
    )
    // Reported when the member is given back.
    running.catch(() => {})
    return {
      messages,
      async [Symbol.asyncDispose]() {
        consumer.stop()
        await running
        await client.disconnect()
      },
    }
  },
}

/** Without a client id of its own this client sends none, and its group members cannot be told apart. */
function clientOf(address: string): KafkaClient {
  return new KafkaClient({ clientId: 'peer', brokers: [address] })
}

peerContract(peer)
