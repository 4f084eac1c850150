import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  errorCodes,
  kafkaErrorOf,
  kafkaErrors,
  murmur2,
  partitionOfKey,
} from '../../packages/millrace/src/protocol/index.ts'
import { goldenJson, goldenRows } from './golden-rows.ts'

interface GoldenKey {
  readonly keyHex: string
  readonly murmur2: number
  readonly partitionOf: Readonly<Record<string, number>>
}

interface GoldenErrors {
  readonly errors: readonly {
    readonly code: number
    readonly name: string
    readonly retriable: boolean
    readonly refreshesMetadata: boolean
  }[]
}

describe('facts of Apache Kafka', () => {
  it('every key hashes, and finds its partition, as in the Java client', () => {
    const keys = goldenRows('murmur2') as readonly GoldenKey[]
    assert.equal(keys.length, 1000)
    for (const row of keys) {
      const key = Buffer.from(row.keyHex, 'hex')
      assert.equal(murmur2(key), row.murmur2, row.keyHex)
      for (const [partitions, partition] of Object.entries(row.partitionOf)) {
        assert.equal(partitionOfKey(key, Number(partitions)), partition, row.keyHex)
      }
    }
  })

  it('the error table has the codes, names and retry flags of Kafka, and no others', () => {
    const { errors } = goldenJson('errors') as GoldenErrors
    const facts = errors.map(({ code, name, retriable, refreshesMetadata }) => ({
      code,
      name,
      retriable,
      refreshesMetadata,
    }))
    const ours = Object.values(kafkaErrors).map(({ code, name, retriable, refreshesMetadata }) => ({
      code,
      name,
      retriable,
      refreshesMetadata,
    }))
    assert.deepEqual(ours, facts)
    assert.equal(errorCodes.UNKNOWN_MEMBER_ID, 25)
  })

  it('a code that nobody knows yet keeps its number and is final', () => {
    const row = kafkaErrorOf(9_999)
    assert.deepEqual([row.code, row.retriable, row.name], [9_999, false, 'UNKNOWN_SERVER_ERROR'])
  })
})
