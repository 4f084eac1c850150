import type { ClientCore } from '../client-core.ts'
import type { AdminOptions } from './ask-each.ts'
import { describeCluster, type DescribedCluster } from './cluster.ts'
import {
  alterConfigs,
  describeConfigs,
  type ConfigChange,
  type ConfigResource,
  type DescribeConfigsOptions,
  type DescribedConfig,
} from './configs.ts'
import {
  committedOffsets,
  deleteOffsets,
  setOffsets,
  type CommittedOffset,
  type OffsetEntry,
  type SetOffset,
  type TopicPartitions,
} from './group-offsets.ts'
import {
  deleteGroups,
  describeGroups,
  listGroups,
  type DescribedGroup,
  type GroupResult,
  type ListedGroup,
} from './groups.ts'
import {
  listOffsets,
  type ListedOffset,
  type ListOffsetsOptions,
  type OffsetQuery,
} from './offsets.ts'
import {
  deleteRecords,
  replicaSizes,
  type DeletedRecords,
  type DeleteRecordsEntry,
  type ReplicaSize,
} from './records.ts'
import {
  createPartitions,
  createTopics,
  deleteTopics,
  describeTopics,
  type CreatedTopic,
  type DescribedTopic,
  type NamedResult,
  type NewTopic,
  type ValidateOptions,
} from './topics.ts'

/**
 * Looks at a cluster and changes it.
 *
 * Calls about many things answer with one result a thing, in the order asked: partial failure is an `error` in its
 * result, not an exception. What passes (a moved leader, coordinator or controller, a lost connection) is tried again
 * until `timeoutMs` (default: the client's apiTimeoutMs) is over. Every call rejects with the reason of an aborted
 * signal, with MR_CLIENT_CLOSED after close, and with MR_CONNECTION_VERSION_UNSUPPORTED when the broker lacks the call.
 */
export interface Admin {
  /**
   * Topics by name, in the order asked, or all that this client may see. Nothing is created.
   * An unknown topic has MR_TOPIC_UNKNOWN as its error. @throws MR_CLIENT_TIMEOUT
   */
  describeTopics(
    names?: readonly string[],
    options?: AdminOptions,
  ): Promise<readonly DescribedTopic[]>
  createTopics(
    topics: readonly NewTopic[],
    options?: ValidateOptions,
  ): Promise<readonly CreatedTopic[]>
  deleteTopics(names: readonly string[], options?: AdminOptions): Promise<readonly NamedResult[]>
  /** @param topics - `count` is the new total */
  createPartitions(
    topics: readonly { readonly name: string; readonly count: number }[],
    options?: ValidateOptions,
  ): Promise<readonly NamedResult[]>
  /** @throws MR_CLIENT_TIMEOUT */
  describeCluster(options?: AdminOptions): Promise<DescribedCluster>
  /** Every setting of a topic or broker, by name. @throws MR_TOPIC_UNKNOWN, MR_KAFKA_ERROR, MR_CLIENT_TIMEOUT */
  describeConfigs(
    resource: ConfigResource,
    options?: DescribeConfigsOptions,
  ): Promise<readonly DescribedConfig[]>
  /** Changes single settings of topics and leaves the others; all changes of a topic or none. Kafka 2.3 and newer. */
  alterConfigs(
    changes: readonly ConfigChange[],
    options?: ValidateOptions,
  ): Promise<readonly NamedResult[]>
  /** Deletes messages from the start of logs up to an offset. */
  deleteRecords(
    entries: readonly DeleteRecordsEntry[],
    options?: AdminOptions,
  ): Promise<readonly DeletedRecords[]>
  /** Bytes on disk of every replica. @throws MR_KAFKA_ERROR, MR_CLIENT_TIMEOUT */
  replicaSizes(options?: AdminOptions): Promise<readonly ReplicaSize[]>
  /** The groups of all brokers, by id. @throws MR_KAFKA_ERROR, MR_CLIENT_TIMEOUT */
  listGroups(options?: AdminOptions): Promise<readonly ListedGroup[]>
  describeGroups(
    groupIds: readonly string[],
    options?: AdminOptions,
  ): Promise<readonly DescribedGroup[]>
  /** Deletes groups without members, and what they have committed. */
  deleteGroups(groupIds: readonly string[], options?: AdminOptions): Promise<readonly GroupResult[]>
  /** Where in a log something is; a time after the last message gives offset -1. */
  listOffsets(
    queries: readonly OffsetQuery[],
    options?: ListOffsetsOptions,
  ): Promise<readonly ListedOffset[]>
  /** What a group has committed, by topic and partition: all of it, or the partitions named (-1: nothing). @throws MR_KAFKA_ERROR, MR_CLIENT_TIMEOUT */
  committedOffsets(
    groupId: string,
    topics?: TopicPartitions,
    options?: AdminOptions,
  ): Promise<readonly CommittedOffset[]>
  /** Sets offsets of a group that has no members now; refused with UNKNOWN_MEMBER_ID while it has. */
  setOffsets(
    groupId: string,
    entries: readonly OffsetEntry[],
    options?: AdminOptions,
  ): Promise<readonly SetOffset[]>
  /** Forgets committed offsets; refused with GROUP_SUBSCRIBED_TO_TOPIC while a member reads the topic. */
  deleteOffsets(
    groupId: string,
    partitions: readonly { readonly topic: string; readonly partition: number }[],
    options?: AdminOptions,
  ): Promise<readonly SetOffset[]>
}

/**
 * The admin calls over a client's connections; it owns nothing, so there is nothing to close.
 * @param defaults - bounds of every call that brings none of its own
 */
export function openAdmin(core: ClientCore, defaults: AdminOptions = {}): Admin {
  return {
    describeTopics: (names, options) => describeTopics(core, names, { ...defaults, ...options }),
    createTopics: (topics, options) => createTopics(core, topics, { ...defaults, ...options }),
    deleteTopics: (names, options) => deleteTopics(core, names, { ...defaults, ...options }),
    createPartitions: (topics, options) =>
      createPartitions(core, topics, { ...defaults, ...options }),
    describeCluster: (options) => describeCluster(core, { ...defaults, ...options }),
    describeConfigs: (resource, options) =>
      describeConfigs(core, resource, { ...defaults, ...options }),
    alterConfigs: (changes, options) => alterConfigs(core, changes, { ...defaults, ...options }),
    deleteRecords: (entries, options) => deleteRecords(core, entries, { ...defaults, ...options }),
    replicaSizes: (options) => replicaSizes(core, { ...defaults, ...options }),
    listGroups: (options) => listGroups(core, { ...defaults, ...options }),
    describeGroups: (groupIds, options) =>
      describeGroups(core, groupIds, { ...defaults, ...options }),
    deleteGroups: (groupIds, options) => deleteGroups(core, groupIds, { ...defaults, ...options }),
    listOffsets: (queries, options) => listOffsets(core, queries, { ...defaults, ...options }),
    committedOffsets: (groupId, topics, options) =>
      committedOffsets(core, groupId, topics, { ...defaults, ...options }),
    setOffsets: (groupId, entries, options) =>
      setOffsets(core, groupId, entries, { ...defaults, ...options }),
    deleteOffsets: (groupId, partitions, options) =>
      deleteOffsets(core, groupId, partitions, { ...defaults, ...options }),
  }
}
