import { bytes, i32, i64, list, str, uuid } from '../schema/field.ts'
import { defineStruct } from './define-struct.ts'

/**
 * Keys and values of `__consumer_offsets`. The int16 before a key is the type of the record: 0 and 1
 * an offset, 2 a classic group. Every version is read; 3 is the one to write, which any Kafka reads.
 */

export const offsetCommitKey = defineStruct({
  name: 'OffsetCommitKey',
  versions: [0, 1],
  flexible: null,
  fields: { group: str, topic: str, partition: i32 },
})

export const offsetCommitValue = defineStruct({
  name: 'OffsetCommitValue',
  versions: [0, 4],
  flexible: 4,
  fields: {
    offset: i64,
    leaderEpoch: i32.since(3).default(-1),
    metadata: str,
    commitTimestamp: i64,
    expireTimestamp: i64.since(1).until(1).default(-1),
    topicId: uuid.since(4).tagged(0),
  },
})

export const groupMetadataKey = defineStruct({
  name: 'GroupMetadataKey',
  versions: [2, 2],
  flexible: null,
  fields: { group: str },
})

export const groupMetadataValue = defineStruct({
  name: 'GroupMetadataValue',
  versions: [0, 4],
  flexible: 4,
  fields: {
    protocolType: str,
    generation: i32,
    protocol: str.nullable().default(''),
    leader: str.nullable().default(''),
    currentStateTimestamp: i64.since(2).default(-1),
    members: list({
      memberId: str,
      groupInstanceId: str.since(3).nullable(3),
      clientId: str,
      clientHost: str,
      rebalanceTimeout: i32.since(1).default(-1),
      sessionTimeout: i32,
      subscription: bytes,
      assignment: bytes,
    }),
  },
})
