/**
 * Where the two engines differ, and why: `docs/reference/engines.md` is made from it, and the scripts that compare their
 * answers accept what a row says is seen, and nothing else.
 */
export interface Difference {
  readonly what: string
  readonly kafka?: string
  readonly embedded: string
  readonly why?: string
  /** How a comparison shows it: lines of `both-engines.ts`. */
  readonly seen?: readonly RegExp[]
}

/** What the embedded broker does not have. */
export const lacking: readonly Difference[] = [
  {
    what: 'replicas on several brokers',
    embedded: 'one copy, one node',
    why: 'it is for development, tests and small single machines; beyond that Apache Kafka is the engine',
  },
  {
    what: 'transactions (InitProducerId with a transactional id, AddPartitionsToTxn, EndTxn, ...)',
    embedded:
      'not yet; producers are told so at once (`UNSUPPORTED_VERSION`), transactional batches are refused',
    why: 'exactly-once work needs an Apache Kafka until then',
  },
  {
    what: 'groups of the new protocol (KIP-848), share groups, streams groups',
    embedded: 'not yet; classic groups, eager and cooperative',
    why: 'every client still speaks the classic protocol',
  },
  {
    what: 'compaction',
    embedded:
      'not yet; `cleanup.policy=compact` is taken, records without a key are refused, nothing is compacted',
  },
  {
    what: 'TLS, SASL, ACLs, quotas',
    embedded: 'none: the listener is plain and on loopback',
    why: 'do not expose it to a network',
  },
  {
    what: 'tiered storage, rack-aware fetch, log directories',
    embedded: 'none',
    why: 'one disk, one reader',
  },
  {
    what: 'message formats before record batches (magic 0 and 1)',
    embedded: 'refused',
    why: 'Kafka 4 does not take them either',
  },
]

/** What is the same word with another value. */
export const otherValues: readonly Difference[] = [
  {
    what: '`num.partitions` (topics that create themselves)',
    kafka: '1',
    embedded: '4',
    why: 'so that keys and parallel consumers are met in development, not in production',
  },
  {
    what: '`group.initial.rebalance.delay.ms`',
    kafka: '3 s',
    embedded: '0',
    why: 'a worker starts at once; the price is a second rebalance when many start together',
  },
  {
    what: 'waiting for members of a classic group that are gone',
    kafka: 'until their session ends',
    embedded:
      "5 s once their connection is closed (`groupAbsentGraceMs`), and only while a rebalance waits for them; 0 gives Kafka's way",
    why: 'a worker that was killed and started again resumes at once instead of after 45 s',
  },
  {
    what: '`group.min.session.timeout.ms`',
    kafka: '6 s',
    embedded: '2 s',
    why: 'one node on the same machine: a worker that hangs is noticed sooner, in tests above all',
  },
  {
    what: '`segment.bytes`',
    kafka: '1 GiB',
    embedded: '64 MiB',
    why: 'laptops; retention frees space in smaller steps',
  },
  {
    what: 'topics, offsets, producer ids',
    kafka: 'replicated',
    embedded: 'written to disk before the answer, synced by the durability policy',
  },
  {
    what: 'checks of produced records',
    kafka: 'every record is walked',
    embedded: 'header and checksum (`checkRecords` walks them too)',
    why: 'speed with small records. Compacted topics are always walked. So, without it: a broken record is found by its reader, a wrong `maxTimestamp` is believed, `INVALID_TIMESTAMP` names no record',
  },
  {
    what: 'zstd below Produce 7, control batches, more than one batch, wrong counts',
    kafka: 'refused',
    embedded: 'refused alike',
  },
]

/** Answers that differ in small ways. */
export const otherAnswers: readonly Difference[] = [
  {
    what: 'Fetch of what no transaction touched: the list of aborted ones',
    kafka: 'empty',
    embedded: 'null',
    why: 'both mean none',
    seen: [/^ {2}Fetch .*abortedTransactions: Kafka \[\], embedded null/],
  },
  {
    what: 'Produce with `records` null',
    kafka: 'never answered (seen with 4.4.0)',
    embedded: '`INVALID_RECORD`',
    why: 'a client waits for an answer',
  },
  {
    what: "Produce of a batch that Kafka's own code stumbles over (a broken codec, an endless varint)",
    kafka: '`UNKNOWN_SERVER_ERROR`',
    embedded: '`INVALID_RECORD`',
    why: 'the batch is at fault, not the server',
  },
  {
    what: 'Produce that is refused for its sequence or its time',
    kafka: 'carries the log start offset',
    embedded: '-1',
    why: 'no client reads it',
    seen: [/^ {2}Produce .*logStartOffset/, /^ {2}Produce .*ahead: .*recordErrors/],
  },
  {
    what: 'DeleteGroups of the empty id',
    kafka: '`GROUP_ID_NOT_FOUND`',
    embedded: '`INVALID_GROUP_ID`',
    why: 'what every other API answers',
    seen: [/^ {2}DeleteGroups .*errorCode: Kafka 69, embedded 24/],
  },
  {
    what: 'ListOffsets with a negative time that the version does not know, of a partition that is not there',
    kafka: '`UNSUPPORTED_VERSION`',
    embedded: '`UNKNOWN_TOPIC_OR_PARTITION`',
    why: 'the partition is looked up first',
    seen: [/^ {2}ListOffsets .*no such (partition|topic): .*errorCode: Kafka 35, embedded 3/],
  },
  {
    what: 'ListOffsets version 0 (monitoring tools that never negotiate)',
    kafka: 'gone since Kafka 4',
    embedded: 'answered',
    why: 'such tools exist',
  },
  {
    what: 'Fetch under a leader epoch to come',
    kafka: 'no leader hint',
    embedded: 'the leader comes along',
    why: 'it saves a request for metadata',
    seen: [/^ {2}Fetch .*a later epoch: .*currentLeader/],
  },
  {
    what: 'DescribeCluster of controllers, refused by a broker',
    kafka: 'says endpoint type 1',
    embedded: 'says 2, as asked',
    why: 'the answer is about what was asked',
    seen: [/^ {2}DescribeCluster .*endpointType: Kafka 1, embedded 2/],
  },
  {
    what: 'the order of rows in DeleteTopics, DescribeGroups, DeleteGroups',
    kafka: 'any',
    embedded: 'as asked',
    why: 'nobody may rely on it; ours is the easier to read',
  },
  {
    what: 'DescribeGroups between two assignments',
    kafka: 'shows the assignment before',
    embedded: 'shows none',
    why: 'between two, nobody owns anything',
  },
  {
    what: 'Metadata of a topic that creates itself',
    kafka: 'an error the first time, the topic from the second',
    embedded: 'the topic',
    why: 'there is no second node to tell',
  },
  {
    what: 'DescribeQuorum',
    kafka: "offsets of the metadata's log",
    embedded: '0',
    why: 'there is no such log',
  },
  {
    what: 'DescribeConfigs of a group, of client metrics',
    kafka: 'their settings with defaults',
    embedded: 'none',
    why: 'groups have no settings of their own here',
  },
  {
    what: 'texts of errors',
    kafka: "Kafka's",
    embedded: 'ours; match on codes',
    why: 'texts are for people',
  },
]
