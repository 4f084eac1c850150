import { bytes, i32, list, str } from '../schema/field.ts'
import { defineStruct } from './define-struct.ts'

/**
 * What members of a classic consumer group tell each other; the broker passes it on unread.
 * A newer version is read as ours, its further fields ignored.
 */

/** JoinGroup `metadata`. v1 owned partitions (KIP-429), v2 generation (KIP-792), v3 rack (KIP-881). */
export const consumerSubscription = defineStruct({
  name: 'ConsumerProtocolSubscription',
  versions: [0, 3],
  flexible: null,
  readsNewer: true,
  fields: {
    topics: list(str),
    userData: bytes.nullable(),
    ownedPartitions: list({ topic: str, partitions: list(i32) }).since(1),
    generationId: i32.since(2).default(-1),
    rackId: str.since(3).nullable(3),
  },
})

/** SyncGroup `assignment`. The versions differ in nothing. */
export const consumerAssignment = defineStruct({
  name: 'ConsumerProtocolAssignment',
  versions: [0, 3],
  flexible: null,
  readsNewer: true,
  fields: {
    assignedPartitions: list({ topic: str, partitions: list(i32) }),
    userData: bytes.nullable(),
  },
})

/** `userData` of the cooperative sticky assignor: the generation of the owned partitions. */
export const cooperativeStickyUserData = defineStruct({
  name: 'CooperativeStickyAssignorUserData',
  versions: [0, 0],
  flexible: null,
  isBare: true,
  fields: { generation: i32 },
})

/** `userData` of the eager sticky assignor, whose members own nothing by the protocol. */
export const stickyUserData = defineStruct({
  name: 'StickyAssignorUserData',
  versions: [1, 1],
  flexible: null,
  isBare: true,
  fields: {
    previousAssignment: list({ topic: str, partitions: list(i32) }),
    generation: i32,
  },
})
