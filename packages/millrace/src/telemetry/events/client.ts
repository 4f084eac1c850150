import { defineEvent } from '../define-event.ts'

/** Which broker an event is about; the node id is -1 for a bootstrap address whose node is not known yet. */
export interface AtBroker {
  readonly clientId: string
  /** `host:port` */
  readonly broker: string
  readonly node: number
}

export interface AtPartition {
  readonly clientId: string
  readonly topic: string
  readonly partition: number
}

export interface AtGroup {
  readonly clientId: string
  readonly groupId: string
  /** Empty until the coordinator has given one. */
  readonly memberId: string
  readonly generation: number
}

export interface Partition {
  readonly topic: string
  readonly partition: number
}

export const clientEvents = {
  groupJoining: defineEvent<AtGroup & { readonly reason: string }>(
    'group.joining',
    'a member asks to be let into its group, first or again',
  ),
  groupJoined: defineEvent<
    AtGroup & {
      readonly protocol: string
      readonly isLeader: boolean
      readonly members: number
      /** From the request to its answer, the wait for the other members included. */
      readonly durationMs: number
    }
  >('group.joined', 'the coordinator has let the member in; `members` is 0 except for the leader'),
  groupSynced: defineEvent<AtGroup & { readonly partitions: number; readonly durationMs: number }>(
    'group.synced',
    'the member has fetched its assignment, so many partitions',
  ),
  groupAssigned: defineEvent<
    AtGroup & { readonly added: readonly Partition[]; readonly kept: readonly Partition[] }
  >('group.assigned', 'an assignment came: partitions that are new, and those that stay'),
  groupRevoking: defineEvent<AtGroup & { readonly partitions: readonly Partition[] }>(
    'group.revoking',
    'partitions are to be given back; their handlers may finish',
  ),
  groupRevoked: defineEvent<
    AtGroup & {
      readonly partitions: readonly Partition[]
      /** True: the drain time ran out before the handlers were done. */
      readonly isCut: boolean
    }
  >('group.revoked', 'partitions were given back'),
  groupLost: defineEvent<
    AtGroup & { readonly partitions: readonly Partition[]; readonly cause: string }
  >('group.lost', 'partitions are gone without having been given back; nothing can be committed'),
  groupLeft: defineEvent<
    AtGroup & {
      /** From the call of close: last handlers and commits included. */
      readonly durationMs: number
    }
  >('group.left', 'the member has ended'),
  groupFailed: defineEvent<AtGroup & { readonly error: unknown }>(
    'group.failed',
    'the member cannot go on: fenced, refused, or misconfigured',
  ),
  heartbeat: defineEvent<AtGroup & { readonly errorCode: number; readonly latencyMs: number }>(
    'heartbeat',
    'the coordinator answered a heartbeat',
  ),
  offsetsCommitted: defineEvent<
    AtGroup & {
      readonly offsets: readonly (Partition & {
        readonly offset: number
        /** What the group had committed when the member got the partition; null for nothing. */
        readonly found?: number | null
      })[]
      readonly latencyMs: number
    }
  >('offsets.committed', 'the coordinator has stored positions of the group'),
  offsetsCommitFailed: defineEvent<
    AtGroup & {
      readonly offsets: readonly (Partition & { readonly offset: number })[]
      /** 0: no answer came. */
      readonly errorCode: number
      /** True: the same positions, or newer ones, are sent again. False: dropped. */
      readonly willRetry: boolean
    }
  >('offsets.commit-failed', 'positions were not stored'),
  offsetsLost: defineEvent<
    AtPartition & {
      readonly offset: number
      readonly newOffset: number
      /** Messages between the position and the start of the log; 0 when the log has become shorter. */
      readonly count: number
    }
  >('offsets.lost', 'a position fell out of the log and was set anew by the declared policy'),
  fetchReceived: defineEvent<{
    readonly clientId: string
    readonly broker: string
    readonly node: number
    /** Asked for. */
    readonly partitions: number
    /** That came, before aborted transactions are left out. */
    readonly messages: number
    readonly bytes: number
    readonly latencyMs: number
  }>('fetch.received', 'a broker answered a fetch'),
  requestAnswered: defineEvent<
    AtBroker & {
      /** Kafka's name of it, such as Fetch. */
      readonly api: string
      readonly version: number
      /** Of the answer. */
      readonly bytes: number
      readonly durationMs: number
    }
  >(
    'request.answered',
    'a broker answered a request of whatever kind; fetches and joins wait there',
  ),
  connectionOpened: defineEvent<AtBroker & { readonly purpose: string }>(
    'connection.opened',
    'a connection to a broker is ready: versions are known',
  ),
  connectionClosed: defineEvent<
    AtBroker & { readonly purpose: string; readonly reason: string; readonly waiting: number }
  >(
    'connection.closed',
    'a connection ended, by us or by the broker; `waiting` requests were unanswered',
  ),
  clusterUnreachable: defineEvent<{
    readonly clientId: string
    /** What the application calls it: `main`, or its key in `clusters`. */
    readonly cluster: string
    readonly addresses: readonly string[]
    readonly reason: string
  }>('cluster.unreachable', 'every known broker address failed; told once until one answers again'),
  clusterReachable: defineEvent<
    AtBroker & { readonly cluster: string; readonly unreachableMs: number }
  >('cluster.reachable', 'a broker answered again after cluster.unreachable'),
  metadataRefreshed: defineEvent<{
    readonly clientId: string
    readonly topics: number
    readonly brokers: number
    readonly reason: string
  }>('metadata.refreshed', 'the list of brokers, topics and leaders was read again'),
  metadataRefreshFailed: defineEvent<{
    readonly clientId: string
    readonly reason: string
    readonly error: unknown
  }>(
    'metadata.refresh-failed',
    'a refresh that nobody waits for failed; it is tried again at the next need',
  ),
  topicReplaced: defineEvent<{
    readonly clientId: string
    readonly topic: string
    readonly oldId: string
    readonly newId: string
  }>(
    'topic.replaced',
    'a topic was deleted and created again: positions of the old one have ended',
  ),
  producerAppended: defineEvent<
    AtPartition & {
      /** Of the batch's first message; -1 when the broker did not say. */
      readonly offset: number
      readonly count: number
      readonly bytes: number
      readonly broker: string
      readonly node: number
      /** 1 when the first attempt was acknowledged. */
      readonly attempts: number
      /** From the first `send` of the batch to the acknowledgement. */
      readonly deliveryMs: number
      /** Of that, from the newest request on: what the broker took. */
      readonly ackMs: number
      /** In the producer's buffer at that moment, this batch included. */
      readonly bufferedBytes: number
      readonly bufferBytes: number
    }
  >('producer.appended', 'a broker acknowledged a batch of messages'),
  producerRetried: defineEvent<
    AtPartition & {
      readonly count: number
      readonly attempt: number
      readonly delayMs: number
      readonly reason: string
    }
  >('producer.retried', 'a batch was not acknowledged and will be sent again, in its place'),
  producerFailed: defineEvent<
    AtPartition & {
      readonly count: number
      readonly error: unknown
      /** False: the broker may have written the messages all the same. */
      readonly isOutcomeKnown: boolean
    }
  >('producer.failed', 'messages were given up; their sends reject'),
  producerBufferFull: defineEvent<{
    readonly clientId: string
    readonly topic: string
    readonly bufferedBytes: number
    readonly waiting: number
  }>('producer.buffer-full', 'a send waits for room in the buffer'),
  producerEpochRaised: defineEvent<
    AtPartition & {
      readonly producerId: number
      readonly epoch: number
      readonly reason: string
    }
  >(
    'producer.epoch-raised',
    'sequence numbers of a partition start again from 0 under a new epoch',
  ),
  producerFenced: defineEvent<
    AtPartition & { readonly producerId: number; readonly epoch: number }
  >('producer.fenced', 'a broker refused the producer’s epoch; a fresh producer id is asked for'),
  producerUndelivered: defineEvent<{
    readonly clientId: string
    readonly messages: number
    readonly bytes: number
  }>('producer.undelivered', 'the producer closed with messages that were not acknowledged'),
}
