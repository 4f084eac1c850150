import kafkajs, { Kafka, logLevel } from 'kafkajs'
import {
  compress,
  decompress,
  type Compression,
} from '../../packages/millrace/src/protocol/index.ts'

const { CompressionCodecs, CompressionTypes } = kafkajs

export const kafkajsCompression = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
  lz4: CompressionTypes.LZ4,
  zstd: CompressionTypes.ZSTD,
} as const satisfies Record<Compression, unknown>

// kafkajs brings gzip alone and takes the others as plug-ins.
for (const codec of ['snappy', 'lz4', 'zstd'] as const satisfies readonly Compression[]) {
  CompressionCodecs[kafkajsCompression[codec]] = () => ({
    compress: (encoder: { readonly buffer: Buffer }) =>
      Promise.resolve(compress(codec, encoder.buffer)),
    decompress: (bytes: Buffer) => Promise.resolve(decompress(codec, bytes, 1 << 26)),
  })
}

/** Another client, so that our two ends do not merely agree with each other. */
export function openKafkajs(brokers: readonly string[]): Kafka {
  return new Kafka({ clientId: 'kafkajs', brokers: [...brokers], logLevel: logLevel.NOTHING })
}
