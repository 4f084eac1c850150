import { openClient, type Client, type ClientOptions } from '../../client/index.ts'
import type { Clock } from '../../kit/index.ts'
import { mainCluster, type ClusterPlan } from './options.ts'
import { routedProducers, type ProducerSource } from './route-producers.ts'

/** The clients of a process, one a cluster. They connect when something needs them. */
export interface Clients extends AsyncDisposable {
  readonly main: Client
  readonly all: ReadonlyMap<string, Client>
  /** Of a cluster that validation knows. */
  of(cluster: string): Client
  /** Producers that send each message to the cluster of its topic. */
  readonly producers: ProducerSource
  close(options: { readonly timeoutMs: number }): Promise<void>
}

export function openClients(
  clusters: readonly ClusterPlan[],
  {
    clientId,
    clock,
    clusterOfWire,
    ...more
  }: {
    readonly clientId: string
    readonly clock: Clock
    readonly clusterOfWire: (topic: string) => string
  } & Pick<
    ClientOptions,
    'holdsProcess' | 'dial' | 'connectTimeoutMs' | 'requestTimeoutMs' | 'reconnectMs'
  >,
): Clients {
  const all = new Map(
    clusters.map(({ name, brokers, tls }) => [
      name,
      openClient({
        ...more,
        brokers,
        clientId,
        cluster: name,
        clock,
        ...(tls === undefined ? {} : { tls }),
      }),
    ]),
  )
  const main = all.get(mainCluster) as Client
  const close = async (options?: { readonly timeoutMs: number }): Promise<void> =>
    void (await Promise.all(Array.from(all.values(), (client) => client.close(options))))
  return {
    main,
    all,
    of: (cluster) => all.get(cluster) ?? main,
    // With one cluster, which is nearly everybody, nothing stands between.
    producers: all.size === 1 ? main : routedProducers(all, clusterOfWire),
    close,
    [Symbol.asyncDispose]: () => close(),
  }
}
