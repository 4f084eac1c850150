import type { TlsOptions } from '../../client/index.ts'

/** Where one of several clusters is. */
export interface ClusterOptions {
  /** `host:port`, several as a list or separated by commas. */
  readonly brokers: readonly string[] | string
  readonly tls?: TlsOptions
}

/** The cluster of topics that name none. Its brokers are the configuration's `brokers` unless it is written here. */
export const mainCluster = 'main'

/** A cluster with its addresses parsed. */
export interface ClusterPlan {
  readonly name: string
  readonly brokers: readonly string[]
  readonly tls: TlsOptions | undefined
}

/** `audit` is `KAFKA_URL_AUDIT`, `far-away` is `KAFKA_URL_FAR_AWAY`. */
export function clusterVariable(name: string): string {
  return `KAFKA_URL_${name.replaceAll(/[^A-Za-z0-9]/g, '_').toUpperCase()}`
}
