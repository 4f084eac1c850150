import { failure } from '../errors/index.ts'
import type { Cluster } from './cluster.ts'
import { groupLags } from './group-lag.ts'

export interface WaitCondition {
  /** `group billing is empty` */
  readonly what: string
  readonly holds: (cluster: Cluster) => Promise<boolean>
}

interface WaitInput {
  readonly broker: boolean | undefined
  readonly topic: readonly string[] | undefined
  readonly group: readonly string[] | undefined
  readonly state: string | undefined
  readonly lag: number | undefined
}

/** @throws MR_CLI_USAGE for a state or lag of no group */
export function conditionsOf(input: WaitInput): readonly WaitCondition[] {
  const { topic = [], group = [], state, lag } = input
  if (group.length === 0 && (state !== undefined || lag !== undefined))
    throw failure('MR_CLI_USAGE', { reason: '--state and --lag are about groups: add --group' })
  return [
    ...(input.broker === true ? [brokerAnswers] : []),
    ...topic.map(topicIsThere),
    ...group.flatMap((name) => [
      groupIs(name, state),
      ...(lag === undefined ? [] : [groupIsCloserThan(name, lag)]),
    ]),
  ]
}

const brokerAnswers: WaitCondition = {
  what: 'a broker answers',
  async holds({ admin }) {
    return (await admin.describeCluster()).brokers.length > 0
  },
}

function topicIsThere(name: string): WaitCondition {
  return {
    what: `topic ${name} is there`,
    async holds({ admin }) {
      const [topic] = await admin.describeTopics([name])
      // Made, but not yet with a leader for each partition: nobody could write to it.
      return (
        topic?.error === undefined && topic?.partitions.every(({ leader }) => leader >= 0) === true
      )
    },
  }
}

function groupIs(name: string, state: string | undefined): WaitCondition {
  return {
    what: state === undefined ? `group ${name} is there` : `group ${name} is ${state}`,
    async holds({ admin }) {
      const [group] = await admin.describeGroups([name])
      if (group === undefined || group.error) return false
      return state === undefined || group.state.toLowerCase() === state
    },
  }
}

function groupIsCloserThan(name: string, limit: number): WaitCondition {
  return {
    what: `group ${name} is at most ${limit} behind`,
    async holds(cluster) {
      const [group] = await cluster.admin.describeGroups([name])
      if (group === undefined || group.error) return false
      const lags = await groupLags(cluster, group)
      // Where nothing is committed nobody can say, so it does not hold.
      return lags.length > 0 && lags.every(({ lag }) => lag !== null && lag <= limit)
    },
  }
}
