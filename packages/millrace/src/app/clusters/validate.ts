import { nearest } from '../../kit/index.ts'
import type { AnyTopic, Topic } from '../topic/define-topic.ts'
import { mainCluster, type ClusterOptions } from './options.ts'

/** Faults in the addresses of one cluster, each with its path. */
export function brokerFaults(brokers: readonly string[], path: string): string[] {
  return brokers.flatMap((broker, index) => {
    const fault = brokerFault(broker)
    return fault === undefined ? [] : [`${path}[${index}]: ${fault}`]
  })
}

/** Without the scheme, which is understood and says nothing to a client. */
export function withoutScheme(broker: string): string {
  return broker.replace(/^(kafka|kafka\+ssl|plaintext|ssl):\/\//i, '')
}

function brokerFault(broker: string): string | undefined {
  const scheme = /^([a-z+]+):\/\//i.exec(broker)?.[1]
  if (scheme !== undefined)
    return `${scheme}:// is none of kafka, kafka+ssl, plaintext, ssl; host:port alone will do`
  const port = /:(\d+)$/.exec(broker)?.[1]
  if (port === undefined) return `${broker} has no port; write host:9092`
  return Number(port) < 1 || Number(port) > 65_535 ? `${port} is not a port` : undefined
}

export function tlsFaults(tls: ClusterOptions['tls'], path: string): string[] {
  if (tls === undefined) return []
  const hasCert = tls.cert !== undefined
  const hasKey = tls.key !== undefined
  if (hasCert === hasKey) return []
  return [hasCert ? `${path}.key: is missing beside cert` : `${path}.cert: is missing beside key`]
}

/** What is wrong with the section itself; the addresses in it are looked at once they are known to be some. */
export function sectionFaults(clusters: unknown): string[] {
  if (clusters === undefined) return []
  if (typeof clusters !== 'object' || clusters === null || Array.isArray(clusters))
    return ['clusters: is not an object of clusters by name']
  return Object.entries(clusters).flatMap(([name, written]) => {
    const faults: string[] = []
    const cluster = written as Partial<ClusterOptions> | null
    const isWritten = typeof cluster === 'object' && cluster !== null
    if (!/^[A-Za-z][A-Za-z0-9_-]*$/.test(name))
      faults.push(`clusters.${name}: begin with a letter and use only A-Z a-z 0-9 _ -`)
    if (!isWritten || cluster.brokers === undefined || cluster.brokers.length === 0)
      faults.push(`clusters.${name}.brokers: is missing; write host:9092`)
    for (const key of Object.keys(isWritten ? cluster : {}))
      if (key !== 'brokers' && key !== 'tls')
        faults.push(`clusters.${name}.${key}: there is no such option; brokers and tls are`)
    return faults
  })
}

/** Every topic's cluster exists. */
export function topicClusterFaults(
  topics: readonly AnyTopic[],
  known: readonly string[],
): string[] {
  return topics.flatMap(({ name, options: { cluster } }) => {
    if (cluster === undefined || known.includes(cluster)) return []
    const near = nearest(cluster, known)
    const hint =
      near === undefined
        ? `; known: ${known.join(', ')}, and clusters of the configuration adds more`
        : `; did you mean ${near}?`
    return [`topics.${name}.cluster: there is no cluster ${cluster}${hint}`]
  })
}

/** A dead letter stays in its source's cluster, so a declared topic elsewhere would never see one. */
export function letterClusterFaults(
  sources: readonly Topic[],
  letterTopic: AnyTopic,
  path: string,
): string[] {
  const at = letterTopic.options.cluster ?? mainCluster
  return sources.flatMap(({ name, options: { cluster = mainCluster } }) =>
    cluster === at
      ? []
      : [
          `${path}.topic: ${letterTopic.name} is on ${at}, but letters of ${name} stay on ${cluster}`,
        ],
  )
}
