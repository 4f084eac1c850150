import type { AnyTopic } from '../topic/define-topic.ts'
import { clusterVariable, mainCluster, type ClusterOptions, type ClusterPlan } from './options.ts'
import { brokerFaults, sectionFaults, tlsFaults, withoutScheme } from './validate.ts'

export interface ClusterSources {
  readonly clusters: Readonly<Record<string, ClusterOptions>> | undefined
  /** The option `brokers`, resolved, and whether the configuration itself or a flag or variable said so. */
  readonly brokers: readonly string[]
  readonly brokersFrom: string
  readonly tls: ClusterOptions['tls']
  readonly env: Readonly<Record<string, string | undefined>>
  /** Everything on the main cluster, as under `millrace dev`. */
  readonly isSingle: boolean
}

export interface PlannedClusters {
  /** The main one first. */
  readonly clusters: readonly ClusterPlan[]
  readonly faults: readonly string[]
}

/** Addresses: flag or `KAFKA_URL` for the main cluster, `KAFKA_URL_<NAME>` for others, then what is written. */
export function planClusters(sources: ClusterSources): PlannedClusters {
  const { clusters = {}, brokersFrom, tls, env, isSingle } = sources
  const faults = sectionFaults(sources.clusters)
  if (faults.length > 0) return { clusters: [mainOf(sources, undefined)], faults }
  const writtenMain = clusters[mainCluster]
  if (writtenMain !== undefined && brokersFrom === 'file')
    faults.push('clusters.main: brokers names the main cluster already; write it in one place')
  if (writtenMain?.tls !== undefined && tls !== undefined)
    faults.push('clusters.main.tls: tls stands at the top already; write it in one place')
  const main = mainOf(sources, writtenMain)
  faults.push(...brokerFaults(main.brokers, writtenMain ? 'clusters.main.brokers' : 'brokers'))
  faults.push(...tlsFaults(main.tls, writtenMain?.tls ? 'clusters.main.tls' : 'tls'))
  const others = Object.entries(clusters)
    .filter(([name]) => name !== mainCluster)
    .map(([name, written]): ClusterPlan => {
      const variable = clusterVariable(name)
      const fromEnv = env[variable]
      const isFromEnv = fromEnv !== undefined && fromEnv !== ''
      const brokers = addressesOf(isFromEnv ? fromEnv : written.brokers)
      faults.push(...brokerFaults(brokers, isFromEnv ? variable : `clusters.${name}.brokers`))
      faults.push(...tlsFaults(written.tls, `clusters.${name}.tls`))
      return { name, brokers, tls: written.tls }
    })
  const all = [main, ...others]
  return { clusters: isSingle ? all.map(({ name }) => ({ ...main, name })) : all, faults }
}

function mainOf(
  { brokers, brokersFrom, tls }: ClusterSources,
  written: ClusterOptions | undefined,
): ClusterPlan {
  const isSaid = brokersFrom === 'flag' || brokersFrom === 'env' || written === undefined
  return {
    name: mainCluster,
    brokers: isSaid ? brokers.map(withoutScheme) : addressesOf(written.brokers),
    tls: tls ?? written?.tls,
  }
}

function addressesOf(written: readonly string[] | string): readonly string[] {
  const list = typeof written === 'string' ? written.split(',') : written
  return list.map((one) => withoutScheme(one.trim())).filter((one) => one !== '')
}

/** Where topics are: what was declared, by object or by name; anything else is on the main cluster. */
export function clusterFinder(topics: readonly AnyTopic[]): (topic: AnyTopic | string) => string {
  const byName = new Map(topics.map(({ name, options }) => [name, options.cluster]))
  return (topic) =>
    (typeof topic === 'string' ? byName.get(topic) : topic.options.cluster) ?? mainCluster
}
