/**
 * The error codes of the Kafka protocol, as of Apache Kafka 4.4. Kind: `retriable`: the same request may succeed
 * later; `metadata`: retriable, and the client's view of the cluster is out of date.
 */
const rows = {
  UNKNOWN_SERVER_ERROR: [
    -1,
    'final',
    'the broker failed in a way it has no code for; its log says more',
  ],
  NONE: [0, 'final', 'success'],
  OFFSET_OUT_OF_RANGE: [1, 'final', 'this offset is below the log start or beyond the log end'],
  CORRUPT_MESSAGE: [2, 'retriable', 'a batch failed its checksum or is not a batch'],
  UNKNOWN_TOPIC_OR_PARTITION: [3, 'metadata', 'no such topic or partition on this broker'],
  INVALID_FETCH_SIZE: [4, 'final', 'the fetch size is not valid'],
  LEADER_NOT_AVAILABLE: [5, 'metadata', 'the partition has no leader at the moment'],
  NOT_LEADER_OR_FOLLOWER: [6, 'metadata', 'another broker leads this partition'],
  REQUEST_TIMED_OUT: [7, 'retriable', 'the broker gave up within its own time limit'],
  BROKER_NOT_AVAILABLE: [8, 'final', 'the broker is not there'],
  REPLICA_NOT_AVAILABLE: [9, 'metadata', 'this broker keeps no copy of the partition'],
  MESSAGE_TOO_LARGE: [10, 'final', 'a batch is over the largest size the topic takes'],
  STALE_CONTROLLER_EPOCH: [11, 'final', 'another controller has taken over'],
  OFFSET_METADATA_TOO_LARGE: [
    12,
    'final',
    'the metadata text beside a committed offset is too long',
  ],
  NETWORK_EXCEPTION: [13, 'metadata', 'the connection broke before the answer came'],
  COORDINATOR_LOAD_IN_PROGRESS: [14, 'retriable', 'the coordinator is still loading its state'],
  COORDINATOR_NOT_AVAILABLE: [15, 'retriable', 'no coordinator is ready yet'],
  NOT_COORDINATOR: [16, 'retriable', 'another broker coordinates this'],
  INVALID_TOPIC_EXCEPTION: [
    17,
    'final',
    'the topic name is not legal, or the topic does not allow this',
  ],
  RECORD_LIST_TOO_LARGE: [18, 'final', 'a batch is larger than a whole segment'],
  NOT_ENOUGH_REPLICAS: [
    19,
    'retriable',
    'fewer replicas are in sync than the topic demands; nothing was written',
  ],
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: [
    20,
    'retriable',
    'written, but to fewer in-sync replicas than the topic demands',
  ],
  INVALID_REQUIRED_ACKS: [21, 'final', 'acks must be -1, 0 or 1'],
  ILLEGAL_GENERATION: [22, 'final', 'the group has moved on to another generation'],
  INCONSISTENT_GROUP_PROTOCOL: [
    23,
    'final',
    'the member shares no assignment protocol with its group',
  ],
  INVALID_GROUP_ID: [24, 'final', 'the group id is not legal'],
  UNKNOWN_MEMBER_ID: [25, 'final', 'the group does not know this member'],
  INVALID_SESSION_TIMEOUT: [
    26,
    'final',
    'the session timeout is outside the range the broker allows',
  ],
  REBALANCE_IN_PROGRESS: [27, 'final', 'the group is rebalancing; join again'],
  INVALID_COMMIT_OFFSET_SIZE: [28, 'final', 'a commit is too large to store'],
  TOPIC_AUTHORIZATION_FAILED: [29, 'final', 'not authorized for this topic'],
  GROUP_AUTHORIZATION_FAILED: [30, 'final', 'not authorized for this group'],
  CLUSTER_AUTHORIZATION_FAILED: [31, 'final', 'not authorized for the cluster'],
  INVALID_TIMESTAMP: [32, 'final', "a record's time is outside the range the topic takes"],
  UNSUPPORTED_SASL_MECHANISM: [33, 'final', 'the broker does not offer this SASL mechanism'],
  ILLEGAL_SASL_STATE: [34, 'final', 'out of turn in the SASL exchange'],
  UNSUPPORTED_VERSION: [35, 'final', 'the broker does not speak this version of the API'],
  TOPIC_ALREADY_EXISTS: [36, 'final', 'a topic of this name exists'],
  INVALID_PARTITIONS: [37, 'final', 'the number of partitions is not possible'],
  INVALID_REPLICATION_FACTOR: [
    38,
    'final',
    'the replication factor is not possible with these brokers',
  ],
  INVALID_REPLICA_ASSIGNMENT: [39, 'final', 'the assignment of replicas is not possible'],
  INVALID_CONFIG: [40, 'final', 'a config has an unknown name or an impossible value'],
  NOT_CONTROLLER: [41, 'retriable', 'another broker is the controller'],
  INVALID_REQUEST: [42, 'final', 'the request contradicts itself or the protocol'],
  UNSUPPORTED_FOR_MESSAGE_FORMAT: [43, 'final', "the log's format is too old for this"],
  POLICY_VIOLATION: [44, 'final', 'a policy of the cluster forbids this'],
  OUT_OF_ORDER_SEQUENCE_NUMBER: [
    45,
    'final',
    'a sequence number is not the next one of this producer',
  ],
  DUPLICATE_SEQUENCE_NUMBER: [46, 'final', 'a sequence number has been seen before'],
  INVALID_PRODUCER_EPOCH: [47, 'final', "the producer's epoch is over; a newer one exists"],
  INVALID_TXN_STATE: [48, 'final', 'the transaction is not in a state that allows this'],
  INVALID_PRODUCER_ID_MAPPING: [
    49,
    'final',
    'this producer id does not belong to the transactional id',
  ],
  INVALID_TRANSACTION_TIMEOUT: [
    50,
    'final',
    'the transaction timeout is above what the broker allows',
  ],
  CONCURRENT_TRANSACTIONS: [51, 'retriable', 'the transaction before is still being completed'],
  TRANSACTION_COORDINATOR_FENCED: [52, 'final', 'another transaction coordinator has taken over'],
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: [53, 'final', 'not authorized for this transactional id'],
  SECURITY_DISABLED: [54, 'final', 'the broker runs without an authorizer'],
  OPERATION_NOT_ATTEMPTED: [
    55,
    'final',
    'not attempted, because another part of the request failed',
  ],
  KAFKA_STORAGE_ERROR: [56, 'metadata', 'the broker cannot use its disk'],
  LOG_DIR_NOT_FOUND: [57, 'final', 'the broker has no such log directory'],
  SASL_AUTHENTICATION_FAILED: [58, 'final', 'the credentials were refused'],
  UNKNOWN_PRODUCER_ID: [59, 'final', 'the broker no longer knows this producer id'],
  REASSIGNMENT_IN_PROGRESS: [60, 'final', 'replicas of the partition are being moved'],
  DELEGATION_TOKEN_AUTH_DISABLED: [61, 'final', 'delegation tokens are switched off'],
  DELEGATION_TOKEN_NOT_FOUND: [62, 'final', 'no such delegation token'],
  DELEGATION_TOKEN_OWNER_MISMATCH: [63, 'final', 'the delegation token belongs to somebody else'],
  DELEGATION_TOKEN_REQUEST_NOT_ALLOWED: [
    64,
    'final',
    'delegation tokens cannot be used on this kind of connection',
  ],
  DELEGATION_TOKEN_AUTHORIZATION_FAILED: [65, 'final', 'not authorized for delegation tokens'],
  DELEGATION_TOKEN_EXPIRED: [66, 'final', 'the delegation token has expired'],
  INVALID_PRINCIPAL_TYPE: [67, 'final', 'the broker does not know this kind of principal'],
  NON_EMPTY_GROUP: [68, 'final', 'the group still has members'],
  GROUP_ID_NOT_FOUND: [69, 'final', 'no such group'],
  FETCH_SESSION_ID_NOT_FOUND: [
    70,
    'retriable',
    'the fetch session is gone; a full fetch starts another',
  ],
  INVALID_FETCH_SESSION_EPOCH: [
    71,
    'retriable',
    'the fetch session has moved on; a full fetch starts another',
  ],
  LISTENER_NOT_FOUND: [72, 'metadata', 'the leader has no listener like the one that was asked'],
  TOPIC_DELETION_DISABLED: [73, 'final', 'deleting topics is switched off'],
  FENCED_LEADER_EPOCH: [74, 'metadata', "the client's leader epoch is older than the broker's"],
  UNKNOWN_LEADER_EPOCH: [75, 'retriable', "the client's leader epoch is newer than the broker's"],
  UNSUPPORTED_COMPRESSION_TYPE: [
    76,
    'final',
    'this compression cannot be used in this version of the request',
  ],
  STALE_BROKER_EPOCH: [77, 'final', 'the broker has registered anew since'],
  OFFSET_NOT_AVAILABLE: [78, 'retriable', 'the leader does not know its high watermark yet'],
  MEMBER_ID_REQUIRED: [79, 'final', 'join again with the member id that came with this answer'],
  PREFERRED_LEADER_NOT_AVAILABLE: [80, 'metadata', 'the preferred leader is not there'],
  GROUP_MAX_SIZE_REACHED: [81, 'final', 'the group is full'],
  FENCED_INSTANCE_ID: [82, 'final', 'another process has joined under this instance id'],
  ELIGIBLE_LEADERS_NOT_AVAILABLE: [83, 'metadata', 'no replica may become leader'],
  ELECTION_NOT_NEEDED: [84, 'metadata', 'the leader is already the one asked for'],
  NO_REASSIGNMENT_IN_PROGRESS: [85, 'final', 'nothing is being moved'],
  GROUP_SUBSCRIBED_TO_TOPIC: [86, 'final', 'the group still reads this topic'],
  INVALID_RECORD: [87, 'final', "a record was refused by the broker's checks"],
  UNSTABLE_OFFSET_COMMIT: [
    88,
    'retriable',
    'transactions that touch these offsets are not finished',
  ],
  THROTTLING_QUOTA_EXCEEDED: [89, 'retriable', 'a quota is used up; try later'],
  PRODUCER_FENCED: [90, 'final', 'a newer producer of the same transactional id has taken over'],
  RESOURCE_NOT_FOUND: [91, 'final', 'the resource that was named does not exist'],
  DUPLICATE_RESOURCE: [92, 'final', 'the same resource was named twice'],
  UNACCEPTABLE_CREDENTIAL: [93, 'final', 'the credential does not meet the rules'],
  INCONSISTENT_VOTER_SET: [94, 'final', 'the two sides disagree about who votes'],
  INVALID_UPDATE_VERSION: [95, 'final', 'the feature version is not valid'],
  FEATURE_UPDATE_FAILED: [96, 'final', 'the features could not be updated'],
  PRINCIPAL_DESERIALIZATION_FAILURE: [97, 'final', 'a forwarded principal cannot be read'],
  SNAPSHOT_NOT_FOUND: [98, 'final', 'no such snapshot'],
  POSITION_OUT_OF_RANGE: [99, 'final', 'the position is outside the snapshot'],
  UNKNOWN_TOPIC_ID: [
    100,
    'metadata',
    'no topic has this id here; it may have been deleted and created again',
  ],
  DUPLICATE_BROKER_REGISTRATION: [101, 'final', 'this broker id is taken'],
  BROKER_ID_NOT_REGISTERED: [102, 'final', 'this broker id is not registered'],
  INCONSISTENT_TOPIC_ID: [103, 'metadata', 'the topic has another id in the log'],
  INCONSISTENT_CLUSTER_ID: [104, 'final', 'the request is for another cluster'],
  TRANSACTIONAL_ID_NOT_FOUND: [105, 'final', 'no such transactional id'],
  FETCH_SESSION_TOPIC_ID_ERROR: [106, 'retriable', 'the fetch session mixes topic ids and names'],
  INELIGIBLE_REPLICA: [107, 'final', 'a replica may not join the in-sync set'],
  NEW_LEADER_ELECTED: [108, 'final', 'the change made another broker the leader'],
  OFFSET_MOVED_TO_TIERED_STORAGE: [109, 'final', 'the offset lies in tiered storage'],
  FENCED_MEMBER_EPOCH: [
    110,
    'final',
    "the member's epoch is over; it must give up its partitions and join again",
  ],
  UNRELEASED_INSTANCE_ID: [111, 'final', 'the instance id is still held by another member'],
  UNSUPPORTED_ASSIGNOR: [112, 'final', "the group's coordinator has no such assignor"],
  STALE_MEMBER_EPOCH: [113, 'final', "the member's epoch is behind; ask again with the newer one"],
  MISMATCHED_ENDPOINT_TYPE: [114, 'final', 'the request went to the wrong kind of endpoint'],
  UNSUPPORTED_ENDPOINT_TYPE: [115, 'final', 'this kind of endpoint is not supported'],
  UNKNOWN_CONTROLLER_ID: [116, 'final', 'no such controller id'],
  UNKNOWN_SUBSCRIPTION_ID: [117, 'final', 'the telemetry subscription is out of date'],
  TELEMETRY_TOO_LARGE: [118, 'final', 'the telemetry is too large'],
  INVALID_REGISTRATION: [119, 'final', 'the controller refused the registration'],
  TRANSACTION_ABORTABLE: [120, 'final', 'the transaction failed and can be aborted'],
  INVALID_RECORD_STATE: [
    121,
    'final',
    'the record is not in a state that allows this acknowledgement',
  ],
  SHARE_SESSION_NOT_FOUND: [122, 'retriable', 'the share session is gone'],
  INVALID_SHARE_SESSION_EPOCH: [123, 'retriable', 'the share session has moved on'],
  FENCED_STATE_EPOCH: [124, 'final', 'the state epoch is over'],
  INVALID_VOTER_KEY: [125, 'final', "the voter's key is another one"],
  DUPLICATE_VOTER: [126, 'final', 'the voter is already in the set'],
  VOTER_NOT_FOUND: [127, 'final', 'the voter is not in the set'],
  INVALID_REGULAR_EXPRESSION: [128, 'final', 'the regular expression cannot be read'],
  REBOOTSTRAP_REQUIRED: [
    129,
    'final',
    "the client's view of the cluster is too old; start again from the bootstrap addresses",
  ],
  STREAMS_INVALID_TOPOLOGY: [130, 'final', 'the topology cannot work'],
  STREAMS_INVALID_TOPOLOGY_EPOCH: [131, 'final', 'the topology epoch is not valid'],
  STREAMS_TOPOLOGY_FENCED: [132, 'final', 'the topology epoch is over'],
  SHARE_SESSION_LIMIT_REACHED: [133, 'retriable', 'there are too many share sessions'],
  GROUP_DELETION_FAILED: [
    134,
    'final',
    "the groups could not be deleted; each group's row says why",
  ],
  STREAMS_TOPOLOGY_DESCRIPTION_UPDATE_FAILED: [
    135,
    'final',
    "the topology's description was not taken; each group's row says why",
  ],
  CONTROLLER_ID_NOT_REGISTERED: [136, 'final', 'this controller id is not registered'],
} as const satisfies Record<string, readonly [code: number, kind: Kind, message: string]>

type Kind = 'final' | 'retriable' | 'metadata'

export type KafkaErrorName = keyof typeof rows

export interface KafkaErrorRow {
  readonly code: number
  readonly name: KafkaErrorName
  readonly retriable: boolean
  /** Retriable once the topic's leaders have been looked up again. */
  readonly refreshesMetadata: boolean
  /** For people; an addition to what failed where. */
  readonly message: string
}

/** Codes by name: `errorCodes.UNKNOWN_MEMBER_ID`. */
export const errorCodes = Object.fromEntries(
  Object.entries(rows).map(([name, [code]]) => [name, code]),
) as { readonly [Name in KafkaErrorName]: (typeof rows)[Name][0] }

/** Every row by its name. */
export const kafkaErrors = Object.fromEntries(
  Object.entries(rows).map(([name, [code, kind, message]]) => [
    name,
    {
      code,
      name: name as KafkaErrorName,
      retriable: kind !== 'final',
      refreshesMetadata: kind === 'metadata',
      message,
    },
  ]),
) as Readonly<Record<KafkaErrorName, KafkaErrorRow>>

const rowByCode: ReadonlyMap<number, KafkaErrorRow> = new Map(
  Object.values(kafkaErrors).map((row) => [row.code, row]),
)

/** The row of a code. A code that a newer broker invented counts as a final error of unknown kind and keeps its number. */
export function kafkaErrorOf(code: number): KafkaErrorRow {
  return (
    rowByCode.get(code) ?? {
      ...kafkaErrors.UNKNOWN_SERVER_ERROR,
      code,
      message: `the broker answered ${code}, a code this version does not know`,
    }
  )
}
