import kafkajs, { Kafka, logLevel } from 'kafkajs'
import {
  compress,
  compressionNames,
  decompress,
  type Compression,
} from '../../../packages/millrace/src/protocol/index.ts'
import type { Peer, PeerMessage } from './peer.ts'
import { peerContract } from './peer.contract.ts'

const { CompressionCodecs, CompressionTypes } = kafkajs
const typeOf = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
  lz4: CompressionTypes.LZ4,
  zstd: CompressionTypes.ZSTD,
} as const

// kafkajs brings gzip alone and takes the others as plug-ins.
for (const codec of ['snappy', 'lz4', 'zstd'] as const satisfies readonly Compression[]) {
  CompressionCodecs[typeOf[codec]] = () => ({
    compress: (encoder: { readonly buffer: Buffer }) =>
      Promise.resolve(compress(codec, encoder.buffer)),
    decompress: (bytes: Buffer) => Promise.resolve(decompress(codec, bytes, 1 << 26)),
  })
}

const peer: Peer = {
  name: 'kafkajs',
  missing: undefined,
  codecs: compressionNames,
  async produce(address, topic, messages, compression) {
    const producer = clientOf(address).producer({
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
    })
    await producer.connect()
    try {
      await producer.send({
        topic,
        compression: typeOf[compression],
        messages: messages.map((message) => ({ ...message })),
      })
    } finally {
      await producer.disconnect()
    }
  },
  async join(address, group, topic) {
    const messages: PeerMessage[] = []
    const consumer = clientOf(address).consumer({ groupId: group, maxWaitTimeInMs: 100 })
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    await consumer.run({
      autoCommitThreshold: 1,
      eachMessage: ({ partition, message }) => {
        messages.push({
          partition,
          offset: Number(message.offset),
          key: String(message.key),
          value: String(message.value),
        })
        return Promise.resolve()
      },
    })
    return { messages, [Symbol.asyncDispose]: () => consumer.disconnect() }
  },
}

function clientOf(address: string): Kafka {
  return new Kafka({ clientId: 'peer', brokers: [address], logLevel: logLevel.NOTHING })
}

peerContract(peer)
